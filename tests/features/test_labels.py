from __future__ import annotations

import pathlib
from typing import Any

from tests import make_tables
from tests.built_features import AS_OF, orders
from tiercast.features import labels, reading
from tiercast.features.engines.duckdb import Engine

BEFORE = [(one, "2024-02-01", 10.0) for one in ("never", "first", "last", "after", "refunded", "zero", "both")]
FUTURE = [
    ("first", "2024-03-01", 7.0),  # the as-of day is the first of the window
    ("last", "2024-03-30 23:59", 8.0),  # 30 days hold 2024-03-01 to 2024-03-30
    ("after", "2024-03-31", 9.0),  # in the value window of 60 days only
    ("refunded", "2024-03-02", -4.0),  # a refund is no order, and value is never below zero
    ("zero", "2024-03-03", 0.0),  # an order of nothing keeps a customer
    ("both", "2024-03-04", 20.0),
    ("both", "2024-03-04", -5.0),
    ("both", "2024-04-29", 1.0),  # the last of 60 days
    ("both", "2024-04-30", 100.0),
    ("new", "2024-03-05", 5.0),  # nobody could have scored them
]
RETURNED = [("returned", "2024-02-02", -1.0), ("returned", "2024-03-02", 3.0)]


def labels_by_customer(folder: pathlib.Path, churn_days: int, value_days: int) -> dict[str, dict[str, Any]]:
    table = orders(*BEFORE, *FUTURE, *RETURNED)
    with Engine(threads=1) as engine:
        source = reading.Sources(make_tables.write(folder, table))
        everything = reading.read(engine, source, None).tables
        found = engine.con.to_pyarrow(labels.labels(everything, AS_OF, churn_days, value_days)).to_pylist()
    return {row.pop("customer_id"): row for row in found}


def outcome(churned: float, value: float, n_future_orders: float) -> dict[str, float]:
    return {"churned": churned, "value": value, "n_future_orders": n_future_orders}


def test_labels_have_the_numbers_worked_out_by_hand(tmp_path: pathlib.Path) -> None:
    assert labels_by_customer(tmp_path, 30, 60) == {
        "never": outcome(1, 0, 0),
        "first": outcome(0, 7, 1),
        "last": outcome(0, 8, 1),
        "after": outcome(1, 9, 1),
        "refunded": outcome(1, 0, 0),
        "zero": outcome(0, 0, 1),
        "both": outcome(0, 16, 2),
    }


def test_a_churn_window_may_be_longer_than_the_value_window(tmp_path: pathlib.Path) -> None:
    found = labels_by_customer(tmp_path, 60, 30)
    assert found["after"] == outcome(0, 0, 0)
    assert found["both"] == outcome(0, 15, 1)
