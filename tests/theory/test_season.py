"""Customers who buy on days of their own in the year: the closed form gets the total wrong, `value` does not.

Three years and more of simulated givers, cut on two days: one before the 90 days that hold Christmas, one after them.
Everything is fitted on what was known on the day, and compared with what then happened.
"""

from __future__ import annotations

import datetime as dt

import pytest

from benchmarks import season
from benchmarks.season import Judged

pytestmark = pytest.mark.slow

BEFORE_CHRISTMAS, AFTER_IT = dt.date(2024, 10, 15), dt.date(2025, 1, 15)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[dt.date, Judged]:
    source = season.write(tmp_path_factory.mktemp("givers") / "givers.parquet", n_customers=4000, seed=1)
    return {day: season.judge(source, day, rounds=60) for day in (BEFORE_CHRISTMAS, AFTER_IT)}


def test_the_closed_form_misses_christmas_and_then_expects_it_all_year(judged: dict[dt.date, Judged]) -> None:
    assert judged[BEFORE_CHRISTMAS].closed_form < -0.5
    assert judged[AFTER_IT].closed_form > 1.0


@pytest.mark.parametrize("day", [BEFORE_CHRISTMAS, AFTER_IT], ids=str)
def test_value_has_the_total_right_within_a_quarter(judged: dict[dt.date, Judged], day: dt.date) -> None:
    assert abs(judged[day].value) < 0.25
    assert judged[day].rule == "last_year"


@pytest.mark.parametrize("day", [BEFORE_CHRISTMAS, AFTER_IT], ids=str)
def test_value_knows_whose_days_are_coming(judged: dict[dt.date, Judged], day: dt.date) -> None:
    """The closed form ranks givers by how much they gave; who gives in this season, their last year tells."""
    assert judged[day].value_ngini > judged[day].closed_form_ngini + 0.1
