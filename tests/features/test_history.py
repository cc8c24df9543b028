from __future__ import annotations

import math
import pathlib
from typing import Any

import pytest

from tests import built_features
from tests.built_features import orders
from tiercast.features.spec import FeatureSpec

SPEC = FeatureSpec(windows=(30, 60))
# as_of is 2024-03-01; 2024 is a leap year, so January 1 is 60 days and February 20 is 10 days before it.
ANN = (
    ("ann", "2024-01-01 09:00", 10.0),
    ("ann", "2024-01-01 18:00", 5.0),  # the same day: one order of 15
    ("ann", "2024-01-11", 20.0),
    ("ann", "2024-02-10", -5.0),  # a refund is no order
    ("ann", "2024-02-20", 0.0),  # an order of nothing is an order
)
BOB = (("bob", "2024-02-01", 7.5),)
CYD = (("cyd", "2024-02-02", -3.0),)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> built_features.Rows:
    return built_features.rows(tmp_path_factory.mktemp("history"), orders(*ANN, *BOB, *CYD), SPEC)


def test_repeat_buyers_have_the_numbers_worked_out_by_hand(rows: built_features.Rows) -> None:
    expected = {
        "n_orders": 3,  # 15 on January 1, 20 on January 11, 0 on February 20
        "n_repeat_orders": 2,
        "recency_days": 50,
        "age_days": 60,
        "silence_days": 10,
        "repeat_order_value": (20 + 0) / 2,
        "gap_mean_days": (10 + 40) / 2,
        "gap_sd_days": math.sqrt((10 - 25) ** 2 + (40 - 25) ** 2),
        "gap_longest_days": 40,
        "gap_last_days": 40,
        "silence_over_gap": 10 / 25,
        "spend_total": 35,
        "order_value_mean": 35 / 3,
        "order_value_sd": math.sqrt(((15 - 35 / 3) ** 2 + (20 - 35 / 3) ** 2 + (35 / 3) ** 2) / 2),
        "order_value_max": 20,
        "order_value_first": 15,
        "order_value_last": 0,
        "n_refunds": 1,
        "refund_share": 5 / 35,
        "n_orders_30d": 1,
        "spend_30d": 0,
        "n_orders_60d": 3,  # January 1 is the first of the last 60 days
        "spend_60d": 35,
        "orders_trend_30d": 1 - 2,  # one in the last 30 days, two in the 30 before
    }
    assert rows["ann"] == {"customer_id": "ann"} | {name: pytest.approx(v) for name, v in expected.items()}


def test_one_time_buyers_have_no_gaps_and_no_repeat_value(rows: built_features.Rows) -> None:
    bob = rows["bob"]
    unknown = {name for name, value in bob.items() if value is None}
    gaps = {"gap_mean_days", "gap_sd_days", "gap_longest_days", "gap_last_days", "silence_over_gap"}
    assert unknown == gaps | {"repeat_order_value", "order_value_sd"}
    assert (bob["n_orders"], bob["n_repeat_orders"], bob["recency_days"]) == (1, 0, 0)
    assert (bob["age_days"], bob["silence_days"], bob["orders_trend_30d"]) == (29, 29, 1)
    assert (bob["n_refunds"], bob["refund_share"]) == (0, 0)


def test_who_only_ever_returned_something_is_no_buyer_but_has_a_refund(rows: built_features.Rows) -> None:
    cyd = rows["cyd"]
    assert (cyd["n_orders"], cyd["n_refunds"], cyd["refund_share"]) == (0, 1, 0)
    assert cyd["age_days"] is None
    assert cyd["spend_total"] is None


def test_several_rows_of_one_day_are_one_order_and_refunds_of_that_day_are_kept_apart(tmp_path: pathlib.Path) -> None:
    lines = orders(("a", "2024-02-29 08:00", 30.0), ("a", "2024-02-29 09:00", -10.0), ("a", "2024-02-29 10:00", -5.0))
    a = built_features.rows(tmp_path, lines, SPEC)["a"]
    assert (a["n_orders"], a["spend_total"], a["order_value_mean"]) == (1, 30, 30)
    assert (a["n_refunds"], a["refund_share"]) == (1, 0.5)  # one day on which money went back, 15 of 30


def test_orders_of_equal_value_and_pace_have_no_spread(tmp_path: pathlib.Path) -> None:
    lines = orders(*(("a", f"2024-02-{day:02d}", 0.1) for day in (1, 8, 15, 22)))
    a = built_features.rows(tmp_path, lines, SPEC)["a"]
    assert a["gap_sd_days"] == 0
    assert a["order_value_sd"] == pytest.approx(0, abs=1e-6)


def test_the_same_period_last_year_begins_365_days_before_and_ends_after_the_season(tmp_path: pathlib.Path) -> None:
    # 365 days before 2024-03-01 is 2023-03-02; 60 days later is 2023-05-01, which is no longer inside.
    lines = orders(
        *(("a", day, 10.0) for day in ("2023-03-01", "2023-03-02", "2023-04-30", "2023-05-01", "2024-02-20"))
    )
    spec = FeatureSpec(windows=(30,), season_days=60)
    a = built_features.rows(tmp_path, lines, spec)["a"]
    assert (a["n_orders_last_year"], a["spend_last_year"]) == (2, 20)


def test_margin_is_the_money_and_amount_still_decides_what_a_refund_is(tmp_path: pathlib.Path) -> None:
    lines: dict[str, Any] = orders(("a", "2024-01-01", 10.0), ("a", "2024-02-01", 20.0), ("a", "2024-02-05", -20.0))
    a = built_features.rows(tmp_path, lines | {"margin": [4.0, -1.0, -2.0]}, SPEC)["a"]
    assert (a["n_orders"], a["spend_total"], a["order_value_last"]) == (2, 3, -1)
    assert (a["n_refunds"], a["refund_share"]) == (1, pytest.approx(2 / 3))
