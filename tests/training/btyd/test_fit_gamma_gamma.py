"""The Gamma-Gamma fit: exact, in any currency, and honest when there is nothing to fit."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.published import cdnow
from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.models import gamma_gamma
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.training.btyd import fit_gamma_gamma, gamma_gamma_likelihood

Spenders = tuple[Vector, Vector]


def simulated(n: int, params: GammaGamma, seed: int = 3) -> Spenders:
    random = np.random.default_rng(seed)
    x = random.geometric(0.4, n).astype(np.float64)
    inverse_scale = random.gamma(params.q, 1.0 / params.v, n)
    return x, random.gamma(params.p * x) / (x * inverse_scale)


CDNOW = GammaGamma(p=6.25, q=3.74, v=15.44)


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3))
@settings(max_examples=25)
def test_gradient_is_the_slope_of_the_likelihood(values: list[float]) -> None:
    point, step = np.array(values), 1e-5
    objective = partial(gamma_gamma_likelihood.gamma_gamma, gamma_gamma_likelihood.summarise(*simulated(300, CDNOW)))
    slope = [(objective(point + shift)[0] - objective(point - shift)[0]) / (2 * step) for shift in step * np.eye(3)]
    value, gradient = objective(point)
    assert gradient == pytest.approx(slope, rel=1e-4, abs=1e-8 * abs(value))


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.booleans())
@settings(max_examples=25)
def test_grouped_likelihood_is_the_sum_over_customers(values: list[float], has_equals: bool) -> None:
    x, m = simulated(2000, CDNOW)
    m = np.ceil(m / 10) * 10 if has_equals else m
    spending = gamma_gamma_likelihood.summarise(x, m)
    assert (len(spending.x) < len(x)) == has_equals
    p, over_one, v = np.exp(values)
    scaled, _ = gamma_gamma_likelihood.gamma_gamma(spending, np.array(values))
    each = gamma_gamma.log_likelihood(GammaGamma(p, 1 + over_one, v * spending.money_scale), x, m)
    assert gamma_gamma_likelihood.in_money(spending, scaled) == pytest.approx(each.sum(), rel=1e-9)


@pytest.mark.parametrize("rate", [1e-4, 1.0, 1e5])
def test_another_currency_changes_only_the_unit(rate: float) -> None:
    x, m = simulated(3000, CDNOW)
    here, there = fit_gamma_gamma.fit(x, m), fit_gamma_gamma.fit(x, m * rate)
    assert there.params._replace(v=there.params.v / rate) == pytest.approx(here.params, rel=1e-4)
    assert there.log_likelihood == pytest.approx(here.log_likelihood - len(x) * np.log(rate), rel=1e-9)


def test_weights_stand_for_customers() -> None:
    x, m = simulated(3000, CDNOW)
    repeated = fit_gamma_gamma.fit(np.tile(x, 3), np.tile(m, 3))
    weighted = fit_gamma_gamma.fit(x, m, weights=np.full(3000, 3.0))
    assert weighted.params == pytest.approx(repeated.params, rel=1e-4)
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-10)
    assert weighted.n_customers == repeated.n_customers == 9000


def test_only_repeat_buyers_with_money_enter() -> None:
    x, m = simulated(3000, CDNOW)
    useless_x, useless_m = np.array([0.0, 2.0, 5.0, 1.0]), np.array([30.0, np.nan, 0.0, -4.0])
    with_them = fit_gamma_gamma.fit(np.append(x, useless_x), np.append(m, useless_m))
    assert with_them == fit_gamma_gamma.fit(x, m)


def test_amounts_of_any_size_are_fitted() -> None:
    random = np.random.default_rng(8)
    x, m = random.integers(1, 9, 2000).astype(np.float64), np.exp(random.uniform(np.log(0.01), np.log(1e7), 2000))
    fit = fit_gamma_gamma.fit(x, m)
    assert np.isfinite([*fit.params, fit.log_likelihood]).all()
    assert fit.params.q > 1


def test_where_the_tail_has_no_mean_the_observed_mean_is_kept() -> None:
    """q = 0.6: the population's mean is infinite, the customers' is what was seen."""
    x, m = simulated(5000, GammaGamma(p=3.0, q=0.6, v=10.0))
    fit = fit_gamma_gamma.fit(x, m)
    assert fit.note == fit_gamma_gamma.MEAN_HELD
    assert fit.standard_errors is None
    assert fit.params.p * fit.params.v / (fit.params.q - 1) == pytest.approx(m.mean(), rel=1e-6)


def test_customers_who_all_spend_alike_get_a_prior() -> None:
    """Everybody's orders come from one gamma: q and v run to infinity together."""
    random = np.random.default_rng(6)
    x = random.geometric(0.4, 3000).astype(np.float64)
    fit = fit_gamma_gamma.fit(x, random.gamma(4.0 * x) / x)
    assert fit.note in {fit_gamma_gamma.PRIOR, fit_gamma_gamma.INTERIOR}
    assert fit.params.p * fit.params.v / (fit.params.q - 1) == pytest.approx(4.0, rel=0.05)


def test_the_likelihood_is_no_lower_than_lifetimes_on_cdnow() -> None:
    import contextlib
    import io
    import warnings

    data = cdnow.sample()
    some = data.x > 0
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import lifetimes

        theirs = lifetimes.GammaGammaFitter().fit(data.x[some], data.m[some])
    ours = fit_gamma_gamma.fit(data.x, data.m)
    their_total = gamma_gamma.log_likelihood(GammaGamma(*map(float, theirs.params_)), data.x, data.m).sum()
    assert ours.log_likelihood >= their_total - 1e-6
    assert ours.standard_errors == pytest.approx(tuple(theirs.standard_errors_), rel=0.01)


@pytest.mark.parametrize(
    ("x", "m"),
    [([], []), ([0, 0, 0], [20, 30, 40]), ([1, 2, 3], [0, 0, 0])],
    ids=["nobody", "no orders", "no money"],
)
def test_too_little_is_refused_with_a_hint(x: list[float], m: list[float]) -> None:
    with pytest.raises(errors.NotEnoughData, match="Hint:"):
        fit_gamma_gamma.fit(np.array(x), np.array(m))


@given(st.integers(3, 40), st.integers(0, 10_000))
@settings(max_examples=40)
def test_tiny_data_end_in_a_finite_fit_or_a_plain_refusal(n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    x, m = random.integers(1, 4, n).astype(np.float64), random.integers(1, 50, n) / 4
    try:
        fit = fit_gamma_gamma.fit(x, m)
    except errors.NotEnoughData:
        return
    assert np.isfinite([*fit.params, fit.log_likelihood]).all()
    assert fit.params.q > 1
