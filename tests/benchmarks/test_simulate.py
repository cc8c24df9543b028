"""The simulated shop: its file, its season and its refunds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks import simulate
from benchmarks.simulate import World
from benchmarks.yearly import Yearly
from tiercast.models.bgnbd import BgNbd


def test_the_file_holds_every_customer_and_only_known_days(tmp_path: Path) -> None:
    rows = simulate.write(World(), 1000, tmp_path / "t.parquet", seed=1)
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.num_rows == rows
    assert table.schema.names == ["customer_id", "ordered_at", "amount"]
    assert len(pc.unique(table["customer_id"])) == 1000
    assert table["amount"].to_numpy().min() > 0
    days = table["ordered_at"].to_numpy()
    assert days.min() >= simulate.FIRST_DAY
    assert days.max() < simulate.FIRST_DAY + np.timedelta64(730, "D")


def test_the_same_seed_gives_the_same_shop() -> None:
    first, second = (simulate.simulate(World(), 500, np.random.default_rng(9)) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_refunds_are_the_share_asked_for(tmp_path: Path) -> None:
    rows = simulate.write(World(refunds=0.2), 5000, tmp_path / "t.parquet", seed=1)
    amount = pq.read_table(tmp_path / "t.parquet")["amount"].to_numpy()
    refunds = int((amount < 0).sum())
    assert refunds / (rows - refunds) == pytest.approx(0.2, abs=0.01)


def test_december_is_high_and_june_low() -> None:
    """Swing 0.5: by hand, the month around the top has about three times the orders of the one opposite."""
    world = World(seasonality=0.5, days=2 * 365, bg=BgNbd(r=0.9, alpha=60.0, a=0.0, b=1.0))
    orders = simulate.simulate(world, 20_000, np.random.default_rng(2))
    young = orders.at - orders.at[np.searchsorted(orders.customer, orders.customer)] == 0
    repeat = orders.at[~young] % 365.25
    born = np.sort(orders.at[young])

    def per_customer(day: float) -> float:
        near = np.abs(repeat - day) < 15
        second_year = orders.at[~young] > 365.25
        return float((near & second_year).sum() / np.searchsorted(born, 365.25 + day))

    high, low = per_customer(simulate.HIGHEST_DAY), per_customer(simulate.HIGHEST_DAY - 182.6)
    assert high / low == pytest.approx(3.0, rel=0.15)


def test_givers_keep_to_days_of_their_own_and_most_of_them_to_december() -> None:
    """Shares counted once more from the drawn orders: 0.6 near the peak, and every customer on few days of the year."""
    rhythm = Yearly(peak=0.6, jitter=3.0, more_days=0.0)
    world = World(days=4 * 365, yearly=rhythm, bg=BgNbd(r=1.0, alpha=1.0, a=0.0, b=1.0))
    orders = simulate.simulate(world, 5000, np.random.default_rng(3))
    day = orders.at % 365.25
    assert (np.abs(day - rhythm.highest) < 45).mean() == pytest.approx(0.6 + 0.4 * 62 / 365, abs=0.03)
    assert (np.diff(orders.customer) >= 0).all()
    same = np.diff(orders.customer) == 0
    gaps = np.diff(orders.at)[same]
    assert (gaps > 0).all()
    off = np.abs(gaps / 365.25 - np.round(gaps / 365.25)) * 365.25
    assert np.quantile(off, 0.99) < 4 * 3.0 * np.sqrt(2)  # two jitters of three days each


def test_givers_leave_too() -> None:
    """a / (a + b) = 1/2: half of the customers leave after their first repeat order, so most have few."""
    world = World(days=8 * 365, yearly=Yearly(), bg=BgNbd(r=1.0, alpha=1.0, a=5000.0, b=5000.0))
    orders = simulate.simulate(world, 5000, np.random.default_rng(4))
    counts = np.bincount(orders.customer)
    assert (counts[counts > 0] <= 3).mean() > 0.85


def test_daily_and_exact_summaries_differ_only_by_days() -> None:
    orders = simulate.simulate(World(), 2000, np.random.default_rng(7))
    exact, daily = simulate.summarise(orders, 730.0), simulate.summarise_by_day(orders, 730)
    assert (daily.x <= exact.x).all()
    assert (np.abs(daily.t_x - exact.t_x) < 1.0).all()
    assert (np.abs(daily.T - exact.T) <= 1.0).all()


def test_a_cohort_comes_within_its_days() -> None:
    orders = simulate.simulate(World(cohort_days=90), 2000, np.random.default_rng(2))
    first = orders.at[np.unique(orders.customer, return_index=True)[1]]
    assert first.max() < 91
    assert first.mean() == pytest.approx(45, abs=2)


def test_growth_brings_e_to_the_growth_times_as_many_customers_a_year_later() -> None:
    orders = simulate.simulate(World(growth=1.0), 40_000, np.random.default_rng(2))
    first = orders.at[np.unique(orders.customer, return_index=True)[1]]
    early, late = (first < 365).sum(), (first >= 365).sum()
    assert late / early == pytest.approx(np.e, rel=0.03)
