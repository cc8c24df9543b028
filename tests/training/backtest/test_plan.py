from __future__ import annotations

import datetime as dt

import pytest

from tiercast.contract import errors
from tiercast.training.backtest import plan
from tiercast.training.backtest.plan import DateRange, Every, Planned
from tiercast.training.settings import Horizons

HORIZONS = Horizons(churn_days=30, value_days=90)
END = dt.date(2024, 7, 1)


def asked(first: str, last: str, every: str = "30d") -> DateRange:
    return DateRange(dt.date.fromisoformat(first), dt.date.fromisoformat(last), plan.every(every))


def test_the_last_date_is_included_only_where_a_step_falls_on_it() -> None:
    assert plan.dates(asked("2024-01-01", "2024-01-31")) == [dt.date(2024, 1, 1), dt.date(2024, 1, 31)]
    assert plan.dates(asked("2024-01-01", "2024-01-30")) == [dt.date(2024, 1, 1)]


def test_weeks_and_months_are_steps_too() -> None:
    assert plan.dates(asked("2024-01-01", "2024-01-31", "2w"))[1:] == [dt.date(2024, 1, 15), dt.date(2024, 1, 29)]
    months = plan.dates(asked("2024-01-31", "2024-05-31", "1m"))
    assert [day.isoformat() for day in months] == [
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
        "2024-05-31",
    ]


def test_a_window_that_ends_on_the_last_day_of_the_data_has_closed() -> None:
    found = plan.plan(asked("2024-04-02", "2024-04-02"), END, HORIZONS)
    assert found.dates == (Planned(dt.date(2024, 4, 2), dt.date(2024, 5, 2), END),)


def test_each_target_is_judged_where_its_own_window_has_closed_and_the_plan_stops_where_none_has() -> None:
    found = plan.plan(asked("2024-04-01", "2024-07-01"), END, HORIZONS)
    assert [(str(each.as_of), each.value_closes is None) for each in found.dates] == [
        ("2024-04-01", False),
        ("2024-05-01", True),
        ("2024-05-31", True),
    ]
    assert [str(each.until) for each in found.dates] == ["2024-06-30", "2024-05-31", "2024-06-30"]
    assert found.first_open == dt.date(2024, 6, 30)


def test_a_plan_without_a_closed_window_is_refused_with_the_newest_day_that_has_one() -> None:
    with pytest.raises(errors.NotEnoughData, match=r"2 of 2 dates(.|\n)*--to 2024-06-01 or earlier"):
        plan.plan(asked("2024-06-10", "2024-07-10"), END, HORIZONS)


@pytest.mark.parametrize("text", ["", "0d", "d", "-3d", "1y", "1.5m", "monthly"])
def test_what_is_no_step_is_refused(text: str) -> None:
    with pytest.raises(errors.BadInput, match="--every 30d"):
        plan.every(text)


def test_dates_that_run_backwards_or_are_too_many_are_refused() -> None:
    with pytest.raises(errors.BadInput, match="swap"):
        plan.dates(asked("2024-02-01", "2024-01-01"))
    with pytest.raises(errors.BadInput, match="more than 400 dates"):
        plan.dates(DateRange(dt.date(2020, 1, 1), END, Every(1, "d")))
