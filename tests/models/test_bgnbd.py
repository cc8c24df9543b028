"""What BG/NBD alone promises; what all order models do is in test_orders. Times in days."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from tiercast.models import bgnbd
from tiercast.models.bgnbd import BgNbd

TWENTY_YEARS = 7305.0


def size(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(np.log(low), np.log(high)).map(lambda power: float(np.exp(power)))


any_params = st.builds(BgNbd, r=size(1e-5, 1e4), alpha=size(1e-3, 1e6), a=size(1e-6, 1e4), b=size(1e-4, 1e5))
no_dropout = st.builds(BgNbd, r=size(1e-5, 1e4), alpha=size(1e-3, 1e6), a=st.just(0.0), b=st.just(1.0))
params_of_any_kind = any_params | no_dropout


@given(params_of_any_kind, st.floats(0.0, TWENTY_YEARS))
def test_one_time_buyers_are_always_alive(params: BgNbd, T: float) -> None:
    assert bgnbd.p_alive(params, np.array([0.0]), np.array([0.0]), np.array([T]))[0] == 1.0


@given(any_params, st.integers(1, 500), st.floats(1.0, 700.0), st.floats(0.0, 700.0), st.floats(0.0, 700.0))
def test_longer_silence_makes_life_less_likely(params: BgNbd, x: int, t_x: float, silent: float, more: float) -> None:
    alive = bgnbd.p_alive(params, np.full(2, x), np.full(2, t_x), t_x + silent + np.array([0.0, more]))
    assert alive[1] <= alive[0]


def test_without_dropout_it_is_the_negative_binomial() -> None:
    """By hand: everybody is alive and orders (r + x) / (alpha + T) times a day."""
    nbd = BgNbd(r=0.5, alpha=50.0, a=0.0, b=1.0)
    x, t_x, T = np.array([0.0, 3.0]), np.array([0.0, 80.0]), np.array([100.0, 100.0])
    assert bgnbd.p_alive(nbd, x, t_x, T).tolist() == [1.0, 1.0]
    assert bgnbd.expected_orders(nbd, x, t_x, T, 30.0) == pytest.approx([0.1, 0.7])
    assert bgnbd.expected_orders_of_new(nbd, np.array([100.0])) == pytest.approx([1.0])


def test_dropout_fades_into_the_negative_binomial() -> None:
    nbd = BgNbd(r=0.5, alpha=50.0, a=0.0, b=1.0)
    customer = np.array([0.0, 3.0, 40.0]), np.array([0.0, 80.0, 99.0]), np.array([100.0, 100.0, 100.0])
    almost = nbd._replace(a=1e-9)
    assert bgnbd.log_likelihood(almost, *customer) == pytest.approx(bgnbd.log_likelihood(nbd, *customer), abs=1e-6)
    assert bgnbd.expected_orders(almost, *customer, 90.0) == pytest.approx(
        bgnbd.expected_orders(nbd, *customer, 90.0), rel=1e-6
    )


def test_expected_orders_are_those_of_simulated_customers() -> None:
    """A second way: draw rates and leaving probabilities from the posterior of an alive customer."""
    random, n = np.random.default_rng(5), 400_000
    params, x, T, h = BgNbd(r=0.8, alpha=40.0, a=1.0, b=3.0), 4.0, 200.0, 365.0
    rate = random.gamma(params.r + x, 1 / (params.alpha + T), n)
    until_leaving = random.geometric(random.beta(params.a, params.b + x, n))
    orders = np.minimum(random.poisson(rate * h), until_leaving)
    alive = np.array([x]), np.array([T]), np.array([T])
    answer = bgnbd.expected_orders(params, *alive, h) / bgnbd.p_alive(params, *alive)
    assert answer[0] == pytest.approx(orders.mean(), abs=4 * orders.std() / np.sqrt(n))


def test_likelihood_is_the_integral_over_all_customers() -> None:
    """A second way: eq. 3 of the paper, integrated over the rate and the leaving probability."""
    r, alpha, a, b = BgNbd(r=1.5, alpha=30.0, a=1.2, b=2.5)
    x, t_x, T = 2, 40.0, 70.0

    def one_customer(p: float, rate: float) -> float:
        stayed = (1 - p) ** x * rate**x * np.exp(-rate * T)
        left = p * (1 - p) ** (x - 1) * rate**x * np.exp(-rate * t_x)
        return (stayed + left) * rate ** (r - 1) * np.exp(-alpha * rate) * p ** (a - 1) * (1 - p) ** (b - 1)

    from scipy.special import beta, gamma

    total, _ = integrate.dblquad(one_customer, 0.0, 1.0, 0.0, 1.0, epsabs=1e-14)
    expected = np.log(total * alpha**r / gamma(r) / beta(a, b))
    answer = bgnbd.log_likelihood(BgNbd(r, alpha, a, b), np.array([2.0]), np.array([t_x]), np.array([T]))
    assert answer[0] == pytest.approx(expected, abs=1e-6)
