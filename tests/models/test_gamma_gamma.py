"""What Gamma-Gamma may never do, whatever the money."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from tiercast.models import gamma_gamma
from tiercast.models.gamma_gamma import GammaGamma


def size(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(np.log(low), np.log(high)).map(lambda power: float(np.exp(power)))


any_params = st.builds(GammaGamma, p=size(1e-3, 1e4), q=size(1e-3, 1e4), v=size(1e-4, 1e8))
params_with_mean = st.builds(GammaGamma, p=size(1e-2, 1e3), q=size(1.01, 1e3), v=size(1e-2, 1e6))


@given(any_params, st.integers(0, 2000), size(0.01, 1e7))
def test_every_answer_is_finite_and_never_negative(params: GammaGamma, x: int, m: float) -> None:
    one = np.array([float(x)]), np.array([m])
    assert np.isfinite(gamma_gamma.log_likelihood(params, *one)).all()
    value = gamma_gamma.expected_order_value(params, *one)[0]
    assert np.isfinite(value)
    assert value >= 0.0


@given(params_with_mean, st.integers(1, 2000), size(0.01, 1e7))
def test_the_answer_lies_between_the_customer_and_the_population(params: GammaGamma, x: int, m: float) -> None:
    population = params.p * params.v / (params.q - 1)
    value = gamma_gamma.expected_order_value(params, np.array([float(x)]), np.array([m]))[0]
    low, high = sorted((m, population))
    assert low * (1 - 1e-9) <= value <= high * (1 + 1e-9)


@given(params_with_mean, st.integers(1, 100), size(0.01, 1e6), st.floats(1.0, 10.0))
def test_who_spent_more_is_worth_more(params: GammaGamma, x: int, m: float, times: float) -> None:
    values = gamma_gamma.expected_order_value(params, np.full(2, float(x)), m * np.array([1.0, times]))
    assert values[1] >= values[0]


@pytest.mark.parametrize("m", [np.nan, 0.0, -5.0])
def test_without_a_mean_of_their_own_customers_get_the_populations(m: float) -> None:
    params = GammaGamma(p=6.25, q=3.74, v=15.44)  # by hand: 6.25 * 15.44 / 2.74 = 35.219
    values = gamma_gamma.expected_order_value(params, np.array([0.0, 3.0]), np.array([np.nan, m]))
    assert values == pytest.approx([35.219, 35.219], abs=1e-3)


def test_where_no_mean_exists_the_answer_is_the_median_customer() -> None:
    """q = 1 makes p v / g with g exponential: by hand, its median is p v / log 2."""
    values = gamma_gamma.expected_order_value(GammaGamma(p=2.0, q=1.0, v=10.0), np.array([0.0]), np.array([np.nan]))
    assert values == pytest.approx([20.0 / np.log(2.0)])


def test_likelihood_is_the_integral_over_all_customers() -> None:
    """A second way: m given the customer's inverse scale n is gamma(p x) with rate n x; n is gamma(q) with rate v."""
    p, q, v = params = GammaGamma(p=3.0, q=2.5, v=12.0)
    x, m = 4.0, 17.0

    def one_customer(n: float) -> float:
        return float(stats.gamma.pdf(m, p * x, scale=1 / (n * x)) * stats.gamma.pdf(n, q, scale=1 / v))

    total, _ = integrate.quad(one_customer, 0.0, np.inf, epsabs=1e-14)
    assert gamma_gamma.log_likelihood(params, np.array([x]), np.array([m]))[0] == pytest.approx(np.log(total), abs=1e-7)


@given(params_with_mean, st.integers(1, 50), size(0.01, 1e4), size(0.01, 100.0))
def test_another_currency_changes_only_the_unit(params: GammaGamma, x: int, m: float, rate: float) -> None:
    n = np.array([float(x)])
    here = gamma_gamma.expected_order_value(params, n, np.array([m]))
    there = gamma_gamma.expected_order_value(params._replace(v=params.v * rate), n, np.array([m * rate]))
    assert there == pytest.approx(here * rate, rel=1e-9)
