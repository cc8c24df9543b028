"""The BG/NBD fit: exact, at least as good as lifetimes', and honest when there is nothing to fit."""

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
from contract import errors
from models import bgnbd
from models.bgnbd import BgNbd
from models.vectors import Vector
from tests import shared_data
from tests.published import cdnow
from training.btyd import bgnbd_likelihood, fit_bgnbd, optimise

AS_OF = pd.date_range("2011-02-01", "2011-12-06", freq="14D")


def simulated(n: int = 20_000, world: simulate.World | None = None, seed: int = 4) -> Summaries:
    world = world or simulate.World()
    return simulate.summarise_by_day(simulate.simulate(world, n, np.random.default_rng(seed)), world.days)


@given(st.lists(st.floats(-4, 4), min_size=4, max_size=4), st.integers(0, 3))
@settings(max_examples=25)
def test_gradient_is_the_slope_of_the_likelihood(point: list[float], seed: int) -> None:
    s = simulated(300, seed=seed)
    objective = partial(bgnbd_likelihood.bg_nbd, bgnbd_likelihood.summarise(s.x, s.t_x, s.T))
    check_gradient(objective, np.array(point))


@given(st.lists(st.floats(-4, 4), min_size=2, max_size=2))
@settings(max_examples=25)
def test_gradient_without_dropout_is_the_slope_too(point: list[float]) -> None:
    s = simulated(300)
    check_gradient(partial(bgnbd_likelihood.nbd, bgnbd_likelihood.summarise(s.x, s.t_x, s.T)), np.array(point))


def check_gradient(objective: partial[tuple[float, Vector]], point: Vector) -> None:
    step = 1e-5
    slope = [
        (objective(point + shift)[0] - objective(point - shift)[0]) / (2 * step) for shift in step * np.eye(len(point))
    ]
    value, gradient = objective(point)
    assert gradient == pytest.approx(slope, rel=1e-4, abs=1e-8 * abs(value))


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4))
@settings(max_examples=25)
def test_grouped_likelihood_is_the_sum_over_customers(point: list[float]) -> None:
    s = simulated(2000)
    histories = bgnbd_likelihood.summarise(s.x, s.t_x, s.T)
    r, alpha, a, b = np.exp(point)
    grouped = bgnbd_likelihood.in_days(histories, bgnbd_likelihood.bg_nbd(histories, np.array(point))[0])
    each = bgnbd.log_likelihood(BgNbd(r, alpha * histories.time_scale, a, b), s.x, s.t_x, s.T)
    assert grouped == pytest.approx(each.sum(), rel=1e-10)


def test_days_and_weeks_give_the_same_model() -> None:
    """Weeks are broken numbers and take the slower grouping."""
    s = simulated(3000)
    days, weeks = fit_bgnbd.fit(s.x, s.t_x, s.T), fit_bgnbd.fit(s.x, s.t_x / 7, s.T / 7)
    assert weeks.params._replace(alpha=weeks.params.alpha * 7) == pytest.approx(days.params, rel=1e-4)


def test_weights_stand_for_customers() -> None:
    s = simulated(3000)
    repeated = fit_bgnbd.fit(*(np.tile(part, 3) for part in (s.x, s.t_x, s.T)))
    weighted = fit_bgnbd.fit(s.x, s.t_x, s.T, weights=np.full(3000, 3.0))
    assert weighted.params == pytest.approx(repeated.params, rel=1e-5)
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-12)
    assert weighted.n_customers == repeated.n_customers == 9000


def test_standard_errors_are_those_of_lifetimes_on_cdnow() -> None:
    data = cdnow.sample()
    theirs = lifetimes_fit(data.x, data.t_x, data.T)
    assert theirs is not None
    ours = fit_bgnbd.fit(data.x, data.t_x, data.T).standard_errors
    assert ours == pytest.approx(tuple(theirs.standard_errors_), rel=1e-3)


def test_sampling_on_the_way_does_not_change_the_answer() -> None:
    """100,000 customers pass through two samples; starting from the truth on all of them ends at the same top."""
    s = simulated(100_000)
    histories = bgnbd_likelihood.summarise(s.x, s.t_x, s.T)
    truth = simulate.World().bg
    start = np.log(truth._replace(alpha=truth.alpha / histories.time_scale))
    straight = optimise.maximise(partial(bgnbd_likelihood.bg_nbd, histories), start)
    staged = fit_bgnbd.fit(s.x, s.t_x, s.T)
    assert staged.log_likelihood == pytest.approx(bgnbd_likelihood.in_days(histories, straight.value), abs=1e-5)


def test_customers_who_never_leave_are_fitted_without_dropout() -> None:
    fit = fit_bgnbd.fit(*simulated(world=simulate.World(bg=BgNbd(r=0.9, alpha=60.0, a=0.0, b=1.0)))[:3])
    assert fit.params.a < 1e-3
    assert fit.params.r == pytest.approx(0.9, rel=0.05)


@pytest.mark.parametrize("as_of", AS_OF, ids=str)
def test_every_window_of_online_retail_converges_no_lower_than_lifetimes(as_of: pd.Timestamp) -> None:
    x, t_x, T = online_retail(as_of)
    fit = fit_bgnbd.fit(x, t_x, T)
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


def lifetimes_fit(x: Vector, t_x: Vector, T: Vector) -> Any:
    """lifetimes' fit, or None where it does not converge."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import lifetimes
        from lifetimes.utils import ConvergenceError

        try:
            return lifetimes.BetaGeoFitter().fit(x, t_x, T)
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
        fit_bgnbd.fit(np.array(x), np.array(t_x), np.array(T))


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
        fit_bgnbd.fit(*(np.array(part, dtype=np.float64) for part in (x, t_x, T)))
    assert "First: row 1" in str(refusal.value)


@given(st.integers(2, 40), st.integers(0, 10_000))
@settings(max_examples=40)
def test_tiny_data_end_in_a_finite_fit_or_a_plain_refusal(n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.integers(0, 4, n).astype(np.float64)
    T = random.integers(5, 54, n).astype(np.float64)
    t_x = np.where(x > 0, np.minimum(random.integers(1, 50, n) + x, T), 0.0)
    try:
        fit = fit_bgnbd.fit(x, t_x, T)
    except (errors.NotEnoughData, errors.FitFailed):
        return
    assert np.isfinite([*fit.params, fit.log_likelihood]).all()
    assert (fit.standard_errors is not None) == (fit.note == fit_bgnbd.INTERIOR)
