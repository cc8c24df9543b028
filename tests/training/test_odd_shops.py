"""Shops that are no textbook case train, and say what their models are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests import make_tables
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.training import train
from tiercast.training.btyd import fit_both, fit_gamma_gamma
from tiercast.training.check import readiness
from tiercast.training.check.readiness import Readiness
from tiercast.training.settings import Horizons, Rolling, Settings, Trees
from tiercast.training.train import Trained

END = dt.date(2024, 7, 1)
ROLLING = Rolling(bootstrap_draws=20, most_windows=4, most_folds=1, threads=1, feature_windows=(30, 60))
Price = Callable[[np.random.Generator], float]


def shop(price: Price, *, days: int = 500, n: int = 400, shut: Iterable[int] = ()) -> pa.Table:
    """Customers who arrive over time, buy every 30 days or so and stop one day; `shut` are days without any order."""
    random, rows, closed = np.random.default_rng(7), [], set(shut)
    for k in range(n):
        day, left = int(random.integers(0, days * 2 // 3)), random.exponential(days)
        end = day + left
        while day < min(days, end):
            if day not in closed:
                rows.append((f"c-{k}", END - dt.timedelta(days - day), round(price(random), 4)))
            day += 1 + int(random.exponential(30))
    columns = list(zip(*rows, strict=True))
    return pa.table(dict(zip(("customer_id", "ordered_at", "amount"), columns, strict=True)))


def trained(folder: Path, table: pa.Table, churn_days: int, value_days: int) -> tuple[Readiness, Trained]:
    """What `check` calls it, and the training."""
    horizons = Horizons(churn_days=churn_days, value_days=value_days)
    settings = Settings(horizons=horizons, trees=Trees(rounds=20, min_data_in_leaf=20), rolling=ROLLING)
    with DuckDBEngine(threads=1) as engine:
        read = reading.read(engine, reading.Sources(make_tables.write(folder, table)), END)
        ready = readiness.check(engine, read.tables, read.report, END, churn_days, value_days)
        return ready, train.train(engine, read, settings)


@pytest.mark.parametrize(
    "price", [lambda _: 10.0, lambda random: 10 + 1e-3 * random.random()], ids=["one price", "nearly one price"]
)
def test_even_spending_trains_and_names_what_stands_in_for_gamma_gamma(tmp_path: Path, price: Price) -> None:
    ready, done = trained(tmp_path, shop(price), 60, 90)
    assert not ready.blocked()
    assert f"Gamma-Gamma: {fit_gamma_gamma.SHRUNKEN}" in done.notes
    assert done.value is not None
    predicted = done.value.judged.predictions.value
    assert predicted.min() >= 0
    assert np.isfinite(predicted).all()


def test_a_pause_of_five_months_is_no_window(tmp_path: Path) -> None:
    """Day 250 to 400 of 500: windows inside it would teach that nobody ever comes back."""
    _, done = trained(tmp_path, shop(lambda random: random.gamma(3, 10), shut=range(250, 400)), 30, 60)
    assert done.churn is not None
    assert done.final.newest_churn is not None
    assert done.churn.cards["tiercast"]["auc"].value > 0.6
    assert not any("untested" in note for note in done.notes)


def test_a_history_shorter_than_the_horizon_leaves_the_closed_form_alone_and_untested(tmp_path: Path) -> None:
    ready, done = trained(tmp_path, shop(lambda random: random.gamma(3, 10), days=364), 365, 365)
    assert ready.churn.verdict == "degraded"
    assert any("no window of 365 days has closed" in note for note in ready.notes)
    assert (done.churn, done.value) == (None, None)
    assert done.bundle.churn.stack.trees is None
    assert done.bundle.value.stack.trees is None
    # the first row is 364 days before END; 90 days of history, a churn window and a holdout must lie behind it
    first = END - dt.timedelta(364)
    assert done.bundle.about.churn_testable_on == (first + dt.timedelta(90 + 365 + 365)).isoformat()
    assert done.notes[0].startswith("The forecast of churn is untested: history is too short")
    assert len(done.bundle.about.limits) == 2


def test_what_nobody_paid_for_is_blocked_by_check(tmp_path: Path) -> None:
    with DuckDBEngine(threads=1) as engine:
        read = reading.read(engine, reading.Sources(make_tables.write(tmp_path, shop(lambda _: 0.0))), END)
        ready = readiness.check(engine, read.tables, read.report, END, 60, 90)
    assert [capability.name for capability in ready.blocked()] == ["value"]
    assert "0 buyers who spent something, 1 needed" in ready.value.sentence


def test_churn_does_not_wait_for_money_where_nobody_spent_anything(tmp_path: Path) -> None:
    """`check` blocks value, so this is what `--even-blocked` trains."""
    _, done = trained(tmp_path, shop(lambda _: 0.0), 60, 90)
    assert f"Gamma-Gamma: {fit_both.NOTHING}" in done.notes
    assert done.churn is not None
    assert done.churn.cards["tiercast"]["auc"].value > 0.6
    assert done.value is None
    assert done.bundle.cuts.value < 1e-3


@pytest.mark.parametrize("days", [364, 370, 454])
def test_a_history_without_a_window_is_degraded_and_not_blocked(tmp_path: Path, days: int) -> None:
    """A window of 365 days and the 90 days before it need 455: one day less is no other case than 364 days."""
    with DuckDBEngine(threads=1) as engine:
        sources = reading.Sources(make_tables.write(tmp_path, shop(lambda random: random.gamma(3, 10), days=days)))
        read = reading.read(engine, sources, END)
        ready = readiness.check(engine, read.tables, read.report, END, 365, 365)
    assert ready.churn.verdict == "degraded"
    assert any("no window of 365 days has closed" in note for note in ready.notes)


def test_a_shop_that_was_shut_in_the_newest_window_has_no_test_of_churn(tmp_path: Path) -> None:
    """Nobody could come back in the last 60 days: `check` blocks churn, and no holdout speaks of it."""
    table = shop(lambda random: random.gamma(3, 10), shut=range(435, 500))
    ready, done = trained(tmp_path, table, 60, 60)
    assert ready.churn.verdict == "blocked"
    assert (done.churn, done.value) == (None, None)
    assert done.bundle.churn.stack.trees is not None  # learned from the windows before
    assert done.bundle.about.churn_testable_on == (END + dt.timedelta(60)).isoformat()
