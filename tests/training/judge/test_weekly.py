from __future__ import annotations

import datetime as dt

import ibis
import numpy as np

from tiercast.features.engines.duckdb import Engine
from tiercast.features.tables import Tables
from tiercast.models import bgnbd
from tiercast.models.bgnbd import BgNbd
from tiercast.training.judge import weekly

PAPER = BgNbd(r=0.2425945, alpha=4.4136019 * 7, a=0.7929199, b=2.4258881)  # weeks as days
START, AS_OF = dt.date(2024, 1, 1), dt.date(2024, 1, 22)


def tables(orders: list[tuple[str, int]]) -> Tables:
    """Purchases of one unit of money; days counted from 2024-01-01."""
    days = [START + dt.timedelta(day) for _, day in orders]
    columns = {"customer_id": [customer for customer, _ in orders], "ordered_on": days, "amount": [1.0] * len(days)}
    return Tables(ibis.memtable({**columns, "money": columns["amount"]}))


def test_repeat_orders_are_counted_per_week_and_first_orders_are_not() -> None:
    orders = [
        ("a", 0),
        ("a", 6),
        ("a", 7),
        ("b", 2),
        ("b", 2),
        ("b", 25),
        ("c", 13),
        ("late", 21),
        ("late", 22),
        ("a", 35),
    ]
    with Engine(threads=1) as engine:
        found = weekly.track(engine, tables(orders), AS_OF, 14, PAPER)
    assert found.weeks.tolist() == [1, 2, 3, 4, 5]
    # a on day 6, a on day 7, b on day 25; b's second row of day 2 is the same order, `late` came after as_of,
    # and a's last order lies beyond the window
    assert found.actual.tolist() == [1, 1, 0, 1, 0]
    assert found.as_of_week == 3


def test_expected_orders_add_up_customer_by_customer() -> None:
    orders = [("a", 0), ("a", 6), ("b", 2), ("c", 13), ("d", 13)]
    with Engine(threads=1) as engine:
        found = weekly.track(engine, tables(orders), AS_OF, 14, PAPER)
    born = np.array([0.0, 2.0, 13.0, 13.0])
    by_week_end = [bgnbd.expected_orders_of_new(PAPER, np.maximum(7.0 * week - born, 0.0)).sum() for week in range(6)]
    np.testing.assert_allclose(found.expected, np.diff(by_week_end), rtol=1e-12)
