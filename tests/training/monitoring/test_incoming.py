from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.training.monitoring import incoming
from tiercast.training.monitoring.incoming import Daily, Step

AS_OF = dt.date(2024, 6, 1)


def shop(per_day: np.ndarray, **columns: np.ndarray) -> Daily:
    """A shop with these orders per day, each one row of 10 money, until the day before as_of."""
    orders = per_day.astype(np.float64)
    plain = {"rows": orders, "orders": orders, "money": 10 * orders, "new_customers": np.zeros(len(orders))}
    return Daily(AS_OF, plain | columns)


def step(found: Daily, measure: str, days: int) -> Step:
    return next(row for row in incoming.steps(found) if (row.measure, row.days) == (measure, days))


def test_days_are_counted_as_pandas_counts_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    n = 400
    days = np.datetime64("2024-01-01") + rng.integers(0, 60, n).astype("timedelta64[D]")
    frame = pd.DataFrame(
        {"customer_id": rng.integers(0, 80, n).astype(str), "ordered_at": days, "amount": rng.integers(-5, 40, n) * 1.0}
    )
    frame["ordered_at"] = frame["ordered_at"].astype("datetime64[us]")
    file = tmp_path / "orders.parquet"
    frame.to_parquet(file)
    as_of = dt.date(2024, 3, 5)
    with DuckDBEngine(threads=1) as engine:
        read = reading.read(engine, reading.Sources(str(file)), as_of)
        found = incoming.daily(engine, read.tables.transactions, (read.report.first_on, as_of))
    calendar = pd.date_range(frame.ordered_at.min(), as_of - dt.timedelta(1), unit="us")
    sales = frame[frame.amount >= 0]
    wanted = {
        "rows": frame.groupby("ordered_at").size(),
        "money": frame.groupby("ordered_at").amount.sum(),
        "orders": sales.drop_duplicates(["customer_id", "ordered_at"]).groupby("ordered_at").size(),
        "new_customers": sales.groupby("customer_id").ordered_at.min().value_counts(),
    }
    for name, counts in wanted.items():
        assert found.columns[name].tolist() == counts.reindex(calendar, fill_value=0).tolist(), name


@pytest.mark.parametrize(("age", "level"), [(1, "quiet"), (3, "quiet"), (4, "notice"), (6, "notice"), (7, "alarm")])
def test_the_newest_row_may_be_as_old_as_the_longest_pause_of_a_year(age: int, level: str) -> None:
    weekdays = np.tile([5, 5, 5, 5, 5, 0, 0], 20)[:-2]  # closed at weekends: Friday to Monday is a pause of 3 days
    check = incoming.freshness(shop(np.concatenate([weekdays, np.zeros(age - 1)])))
    assert (check.code, check.level) == ("W4", level)
    assert f"newest row {age} day" in check.measured


def test_a_shop_without_a_day_off_is_late_on_the_second_day() -> None:
    assert incoming.freshness(shop(np.append(np.full(100, 9), 0))).level == "notice"
    assert incoming.freshness(shop(np.append(np.full(100, 9), [0, 0]))).level == "alarm"


def test_a_pause_of_long_ago_excuses_nothing() -> None:
    days = np.concatenate([[9], np.zeros(60), np.full(400, 9), np.zeros(5)])
    assert incoming.freshness(shop(days)).level == "alarm"


def test_half_of_the_usual_week_is_an_alarm_and_its_numbers_are_told() -> None:
    rng = np.random.default_rng(2)
    days = rng.poisson(100, 280).astype(np.float64)
    days[-7:] = rng.poisson(40, 7)
    week = step(shop(days), "orders", 7)
    assert (week.before, week.now) == (days[-14:-7].sum(), days[-7:].sum())
    assert week.level == "alarm"
    check = incoming.volume(incoming.steps(shop(days)))
    assert (check.code, check.level) == ("W5", "alarm")
    assert "orders of 7 days" in check.measured


def test_steady_growth_is_usual() -> None:
    days = np.round(50 * 1.01 ** np.arange(300))
    rows = incoming.steps(shop(days))
    assert {row.level for row in rows if row.measure != "new_customers"} == {"quiet"}
    assert step(shop(days), "orders", 7).usual == pytest.approx(1.01**7, rel=0.01)


def test_chance_seldom_alarms_in_a_shop_where_nothing_changes() -> None:
    rng = np.random.default_rng(3)
    levels = [incoming.volume(incoming.steps(shop(rng.poisson(20, 400)))).level for _ in range(300)]
    assert levels.count("alarm") == 0
    assert levels.count("notice") <= 9


def test_the_bounds_are_the_median_and_mad_of_earlier_steps() -> None:
    weeks = np.array([700, 770, 700, 805, 735, 700, 840, 700, 770, 3000.0]) * 100
    days = np.repeat(weeks / 7, 7)
    found = step(shop(days), "orders", 7)
    steps = np.diff(np.log(weeks + 0.5))[:-1]
    usual = np.median(steps)
    spread = 3.5 * 1.4826 * np.median(np.abs(steps - usual))
    assert found.usual == pytest.approx(math.exp(usual))
    assert (found.low, found.high) == pytest.approx((math.exp(usual - spread), math.exp(usual + spread)))
    assert found.level == "alarm"


def test_too_short_a_history_is_unknown() -> None:
    assert incoming.volume(incoming.steps(shop(np.full(30, 9)))).level == "unknown"
    assert step(shop(np.full(3, 9)), "orders", 7).level == "unknown"


def test_dropped_rows_are_held_against_the_training_data() -> None:
    then = {"known": 1000, "dropped": {"no_customer_id": 30}}
    levels = {
        dropped: incoming.dropped(1000, {"no_customer_id": dropped, "no_timestamp": 0}, then).level
        for dropped in (30, 39, 41, 79, 81)
    }
    assert levels == {30: "quiet", 39: "quiet", 41: "notice", 79: "notice", 81: "alarm"}
    unknown = incoming.dropped(1000, {"no_customer_id": 30}, None)
    assert unknown.level == "notice"
    assert "does not know" in unknown.required
