from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.training.windows.test_schedule import CLOSED_FORM
from tiercast.models import btyd
from tiercast.training.fit import level_rule
from tiercast.training.windows.snapshots import LastYear, Snapshot


def snapshot(closed: float, last_year: LastYear | None = None) -> Snapshot:
    features = pd.DataFrame({btyd.VALUE: [closed / 4, 3 * closed / 4]})
    ids = pa.chunked_array([["a", "b"]])
    return Snapshot(dt.date(2024, 1, 1), ids, features, CLOSED_FORM, None, None, None, last_year)


ALL = {level_rule.OWN, level_rule.CLOSED_FORM, level_rule.BLEND, level_rule.SEASON, level_rule.LAST_YEAR}


def test_each_rule_gives_the_total_it_is_named_after() -> None:
    """Two customers: a forecast of 200, a closed form of 50, half of the truth a year ago, when each brought 75."""
    rules = level_rule.multipliers(np.array([120.0, 80.0]), snapshot(50.0, LastYear(ratio=2.0, per_customer=75.0)))
    totals = {rule: 200 * factor for rule, factor in rules.items()}
    assert totals == pytest.approx({"own": 200, "closed_form": 50, "blend": 100, "season": 100, "last_year": 150})


def test_last_year_is_no_rule_where_it_is_not_known() -> None:
    assert {level_rule.SEASON, level_rule.LAST_YEAR}.isdisjoint(
        level_rule.multipliers(np.array([1.0, 1.0]), snapshot(50.0))
    )


@pytest.mark.parametrize(("forecast", "closed"), [(0.0, 50.0), (10.0, 0.0)])
def test_a_total_of_nothing_is_left_alone(forecast: float, closed: float) -> None:
    assert level_rule.multipliers(np.array([forecast, 0.0]), snapshot(closed)) == {"own": 1.0}


def window(actual: float, *, own: float, closed: float, last_year: float | None = None) -> level_rule.Totals:
    rules = {"own": 1.0, "closed_form": closed / own, "blend": (closed / own) ** 0.5}
    return rules | ({"last_year": last_year / own} if last_year else {}), own, actual


def test_the_closed_form_stays_where_nothing_is_clearly_better() -> None:
    """Own is off by log(1.18), the closed form by log(1.2): not a third less."""
    found = level_rule.choose([window(100, own=118, closed=120)], ALL)
    assert found.rule == "closed_form"
    assert found.errors["own"] == pytest.approx(np.log(1.18))


def test_a_rule_that_takes_a_third_off_the_error_is_taken() -> None:
    assert level_rule.choose([window(100, own=101, closed=150)], ALL).rule == "own"
    assert level_rule.choose([window(100, own=200, closed=50)], ALL).rule == "blend"
    assert level_rule.choose([window(100, own=150, closed=140, last_year=100)], ALL).rule == "last_year"


def test_too_much_and_too_little_are_equally_wrong() -> None:
    found = level_rule.choose([window(100, own=200, closed=100), window(100, own=50, closed=100)], ALL)
    assert found.errors["own"] == pytest.approx(np.log(2))


def test_only_rules_that_every_window_has_are_compared() -> None:
    found = level_rule.choose([window(100, own=300, closed=140, last_year=100), window(100, own=300, closed=140)], ALL)
    assert "last_year" not in found.errors


def test_a_window_in_which_nothing_happened_does_not_break_the_choice() -> None:
    assert level_rule.choose([window(0, own=10, closed=5)], ALL).rule in {"own", "closed_form", "blend"}


def test_a_rule_that_is_not_known_today_is_not_taken() -> None:
    """Last year was exact on the earlier window; for the one to come nothing is known of it."""
    assert (
        level_rule.choose([window(100, own=150, closed=140, last_year=100)], ALL - {"last_year"}).rule == "closed_form"
    )
