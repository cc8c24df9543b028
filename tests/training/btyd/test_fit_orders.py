"""The fits of the three order models: exact, at least as good as lifetimes', and honest where there is none."""

from __future__ import annotations

import contextlib
import io
import warnings
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import simulate
from benchmarks.simulate import Summaries
from tests import shared_data
from tests.published import cdnow
from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.models import bgnbd, orders
from tiercast.models.bgnbd import BgNbd
from tiercast.training.btyd import families, fit_orders, lifetimes_bridge, optimise
from tiercast.training.btyd import histories as summaries
from tiercast.training.btyd.families import Family
from tiercast.training.btyd.histories import Histories

AS_OF = pd.date_range("2011-02-01", "2011-12-06", freq="14D")


def simulated(n: int = 20_000, world: simulate.World | None = None, seed: int = 4) -> Summaries:
    world = world or simulate.World()
    return simulate.summarise_by_day(simulate.simulate(world, n, np.random.default_rng(seed)), world.days)


every_model = pytest.mark.parametrize("name", families.BY_NAME)


def summarised(s: Summaries, family: Family[Any]) -> Histories:
    return summaries.summarise(s.x, s.t_x, s.T, one_timers_leave=family.one_timers_leave)


@every_model
@given(point=st.lists(st.floats(-4, 4), min_size=4, max_size=4), seed=st.integers(0, 3))
@settings(max_examples=20)
def test_gradient_is_the_slope_of_the_likelihood(name: str, point: list[float], seed: int) -> None:
    family = families.BY_NAME[name]
    check_gradient(partial(family.objective, summarised(simulated(300, seed=seed), family)), np.array(point))


@given(st.lists(st.floats(-4, 4), min_size=2, max_size=2))
@settings(max_examples=25)
def test_gradient_without_dropout_is_the_slope_too(point: list[float]) -> None:
    s = simulated(300)
    check_gradient(partial(summaries.without_leaving, summaries.summarise(s.x, s.t_x, s.T)), np.array(point))


def check_gradient(objective: partial[tuple[float, Vector]], point: Vector) -> None:
    step = 1e-5
    slope = [
        (objective(point + shift)[0] - objective(point - shift)[0]) / (2 * step) for shift in step * np.eye(len(point))
    ]
    value, gradient = objective(point)
    assert gradient == pytest.approx(slope, rel=1e-4, abs=1e-8 * abs(value))


@every_model
@given(point=st.lists(st.floats(-3, 3), min_size=4, max_size=4))
@settings(max_examples=15)
def test_grouped_likelihood_is_the_sum_over_customers(name: str, point: list[float]) -> None:
    s, family = simulated(2000), families.BY_NAME[name]
    histories = summarised(s, family)
    units = [histories.time_scale if place in family.timed else 1.0 for place in range(4)]
    grouped = summaries.in_days(histories, family.objective(histories, np.array(point))[0])
    each = orders.log_likelihood(family.params(*map(float, np.exp(point) * units)), s.x, s.t_x, s.T)
    assert grouped == pytest.approx(each.sum(), rel=1e-10)


@every_model
def test_days_and_weeks_give_the_same_model(name: str) -> None:
    """Weeks are broken numbers and take the slower grouping."""
    s, family = simulated(3000), families.BY_NAME[name]
    days = fit_orders.fit(s.x, s.t_x, s.T, family)
    weeks = fit_orders.fit(s.x, s.t_x / 7, s.T / 7, family)
    units = [7.0 if place in family.timed else 1.0 for place in range(4)]
    assert np.array(weeks.params) * units == pytest.approx(days.params, rel=1e-3)
    assert weeks.log_likelihood + s.x.sum() * -np.log(7) == pytest.approx(days.log_likelihood, abs=1e-4)


@every_model
def test_weights_stand_for_customers(name: str) -> None:
    s, family = simulated(3000), families.BY_NAME[name]
    x, t_x, T = (np.tile(part, 3) for part in (s.x, s.t_x, s.T))
    repeated = fit_orders.fit(x, t_x, T, family)
    weighted = fit_orders.fit(s.x, s.t_x, s.T, family, weights=np.full(3000, 3.0))
    assert weighted.params == pytest.approx(repeated.params, rel=1e-4)
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-12)
    assert weighted.n_customers == repeated.n_customers == 9000


@every_model
def test_on_cdnow_the_fit_is_that_of_lifetimes(name: str) -> None:
    """Its fit stops earlier on a flat top: parameters within a hundredth of a standard error, likelihood no higher."""
    data = cdnow.sample()
    theirs = lifetimes_fit(data.x, data.t_x, data.T, lifetimes_bridge.FITTERS[name])
    assert theirs is not None
    ours = fit_orders.fit(data.x, data.t_x, data.T, families.BY_NAME[name])
    assert ours.standard_errors is not None
    assert (np.abs(np.array(ours.params) - theirs.params_.to_numpy()) < 0.01 * np.array(ours.standard_errors)).all()
    their_model = families.BY_NAME[name].params(*map(float, theirs.params_))
    their_total = orders.log_likelihood(their_model, data.x, data.t_x, data.T).sum()
    assert their_total - 1e-9 <= ours.log_likelihood <= their_total + 1e-3


def test_standard_errors_are_those_of_lifetimes_on_cdnow() -> None:
    data = cdnow.sample()
    theirs = lifetimes_fit(data.x, data.t_x, data.T)
    assert theirs is not None
    ours = fit_orders.fit(data.x, data.t_x, data.T, families.BGNBD).standard_errors
    assert ours == pytest.approx(tuple(theirs.standard_errors_), rel=1e-3)


@every_model
def test_sampling_on_the_way_does_not_change_the_answer(name: str) -> None:
    """60,000 customers pass through samples; starting near the truth on all of them ends at the same top."""
    s, family = simulated(60_000), families.BY_NAME[name]
    histories = summarised(s, family)
    staged = fit_orders.fit(s.x, s.t_x, s.T, family)
    units = [histories.time_scale if place in family.timed else 1.0 for place in range(4)]
    nearby = np.log(np.array(staged.params) / units) + 0.2
    straight = optimise.maximise(partial(family.objective, histories), nearby)
    assert straight.is_interior
    assert staged.log_likelihood == pytest.approx(summaries.in_days(histories, straight.value), abs=1e-5)


@every_model
def test_customers_who_never_leave_are_fitted_without_dropout(name: str) -> None:
    s = simulated(world=simulate.World(bg=BgNbd(r=0.9, alpha=60.0, a=0.0, b=1.0)))
    fit = fit_orders.fit(s.x, s.t_x, s.T, families.BY_NAME[name])
    assert fit.params.r == pytest.approx(0.9, rel=0.05)
    assert orders.p_alive(fit.params, s.x, s.t_x, s.T).mean() > 0.99
    without_leaving = (fit.params.r + s.x) * 90.0 / (fit.params.alpha + s.T)
    expected = orders.expected_orders(fit.params, s.x, s.t_x, s.T, 90.0)
    assert expected.sum() == pytest.approx(without_leaving.sum(), rel=0.01)


@pytest.mark.parametrize("as_of", AS_OF, ids=str)
def test_every_window_of_online_retail_converges_no_lower_than_lifetimes(as_of: pd.Timestamp) -> None:
    x, t_x, T = online_retail(as_of)
    fit = fit_orders.fit(x, t_x, T, families.BGNBD)
    assert np.isfinite([*fit.params, fit.log_likelihood]).all()
    assert fit.log_likelihood == pytest.approx(bgnbd.log_likelihood(fit.params, x, t_x, T).sum(), abs=1e-6)
    assert fit.has_dropout == (fit.params.a > 0)
    theirs = lifetimes_fit(x, t_x, T)
    if theirs is not None:
        their_total = bgnbd.log_likelihood(BgNbd(*map(float, theirs.params_)), x, t_x, T).sum()
        assert fit.log_likelihood >= their_total - 1e-3


def online_retail(as_of: pd.Timestamp) -> tuple[Vector, Vector, Vector]:
    """x, t_x, T in days of every customer who ordered before `as_of`; a day with sales is an order."""
    path = shared_data.need("online_retail/transactions.parquet")
    rows = pd.read_parquet(path, columns=["customer_id", "timestamp", "amount"])
    rows = rows[rows.customer_id.notna() & (rows.amount > 0)]
    rows["day"] = rows.timestamp.dt.tz_localize(None).dt.normalize()
    days = rows[rows.day < as_of][["customer_id", "day"]].drop_duplicates()
    customers = days.groupby("customer_id").day.agg(["min", "max", "size"])
    spans = (customers["max"] - customers["min"], as_of - customers["min"])
    t_x, T = (np.asarray(span.dt.days, dtype=np.float64) for span in spans)
    return np.asarray(customers["size"] - 1, dtype=np.float64), t_x, T


def lifetimes_fit(x: Vector, t_x: Vector, T: Vector, fitter: str = "BetaGeoFitter") -> Any:
    """lifetimes' fit, or None where it does not converge."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import lifetimes
        from lifetimes.utils import ConvergenceError

        try:
            return getattr(lifetimes, fitter)().fit(x, t_x, T)
        except ConvergenceError:
            return None


NOBODY: list[float] = []


@pytest.mark.parametrize(
    ("x", "t_x", "T"),
    [
        (NOBODY, NOBODY, NOBODY),
        ([3], [50], [60]),
        ([0, 0, 0, 0], [0, 0, 0, 0], [10, 20, 30, 40]),
        ([2] * 50, [30] * 50, [60] * 50),
        ([0] * 50 + [1], [0] * 50 + [5], list(range(10, 61))),
    ],
    ids=["nobody", "one customer", "no repeat orders", "all alike", "one repeat buyer"],
)
def test_too_little_is_refused_with_a_hint(x: list[float], t_x: list[float], T: list[float]) -> None:
    with pytest.raises(errors.NotEnoughData, match="Hint: use a longer history"):
        fit_orders.fit(np.array(x), np.array(t_x), np.array(T), families.BGNBD)


def numbers(x: object, t_x: object, T: object) -> tuple[Vector, Vector, Vector]:
    return np.array(x, np.float64), np.array(t_x, np.float64), np.array(T, np.float64)


@pytest.mark.parametrize(
    ("x", "t_x", "T", "what"),
    [
        ([1, np.nan], [5, 5], [9, 9], "missing"),
        ([1, 1.5], [5, 5], [9, 9], "not a count"),
        ([1, 1], [5, 12], [9, 9], "not between"),
        ([1, 0], [5, 5], [9, 9], "contradict"),
        ([1, 2], [5, 0], [9, 9], "contradict"),
    ],
)
def test_impossible_histories_are_refused_naming_the_first(x: object, t_x: object, T: object, what: str) -> None:
    with pytest.raises(errors.BadInput, match=what) as refusal:
        fit_orders.fit(*numbers(x, t_x, T), families.BGNBD)
    assert "First: row 1" in str(refusal.value)


@every_model
@given(n=st.integers(2, 40), seed=st.integers(0, 10_000))
@settings(max_examples=30)
def test_tiny_data_end_in_a_finite_fit_or_a_plain_refusal(name: str, n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.integers(0, 4, n).astype(np.float64)
    T = random.integers(5, 54, n).astype(np.float64)
    t_x = np.where(x > 0, np.minimum(random.integers(1, 50, n) + x, T), 0.0)
    try:
        fit = fit_orders.fit(x, t_x, T, families.BY_NAME[name])
    except (errors.NotEnoughData, errors.FitFailed):
        return
    assert np.isfinite([*fit.params, fit.log_likelihood]).all()
    assert (fit.standard_errors is not None) == (fit.note == fit_orders.INTERIOR)
