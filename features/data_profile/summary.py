"""The totals of the transactions, month by month, and one row as it was read."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from ibis.expr import types as ir

from tiercast.features.engines import Engine


class Month(NamedTuple):
    """One calendar month; months without a row are there too."""

    month: str
    rows: int
    amount: float


class Summary(NamedTuple):
    """Numbers of the rows that are kept. Shares are in [0, 1]; `largest_share_...` are those of one customer.

    `median_amount` may be the engine's approximation. `example` is the first row by time and customer.
    """

    rows: int
    customers: int
    orders: int
    amount: float
    smallest_amount: float
    median_amount: float
    largest_amount: float
    largest_share_of_orders: float
    largest_share_of_amount: float | None
    months: tuple[Month, ...]
    example: dict[str, str]

    @property
    def rows_per_order(self) -> float:
        return self.rows / self.orders if self.orders else float("nan")

    def as_dict(self) -> dict[str, object]:
        return {**self._asdict(), "months": [month._asdict() for month in self.months]}


def count(engine: Engine, lines: ir.Table) -> Summary:
    """All numbers. An order is a customer's day with an amount of zero or more."""
    amount = lines.amount.cast("float64")
    totals = _row(
        engine,
        lines.aggregate(
            rows=lines.count(),
            amount=lines.amount.sum().cast("float64"),
            smallest_amount=amount.min(),
            median_amount=amount.median(),
            largest_amount=amount.max(),
        ),
    )
    sales = lines.filter(lines.amount >= 0)
    by_customer = sales.group_by("customer_id").aggregate(n_orders=sales.ordered_on.nunique(), spent=sales.amount.sum())
    largest = _row(
        engine,
        by_customer.aggregate(
            customers=by_customer.count(),
            orders=by_customer.n_orders.sum(),
            most_orders=by_customer.n_orders.max(),
            spent=by_customer.spent.sum().cast("float64"),
            most_spent=by_customer.spent.max().cast("float64"),
        ),
    )
    orders, spent = int(largest["orders"] or 0), largest["spent"] or 0.0
    return Summary(
        **totals,
        customers=largest["customers"],
        orders=orders,
        largest_share_of_orders=int(largest["most_orders"] or 0) / orders if orders else 0.0,
        largest_share_of_amount=largest["most_spent"] / spent if spent > 0 else None,
        months=_months(engine, lines),
        example=_example(engine, lines),
    )


def _row(engine: Engine, table: ir.Table) -> dict[str, Any]:
    found: dict[str, Any] = engine.con.to_pyarrow(table).to_pylist()[0]
    return found


def _months(engine: Engine, lines: ir.Table) -> tuple[Month, ...]:
    month = lines.ordered_on.year() * 12 + lines.ordered_on.month() - 1
    table = lines.group_by(month=month).aggregate(rows=lines.count(), amount=lines.amount.sum().cast("float64"))
    found = {row["month"]: row for row in engine.con.to_pyarrow(table).to_pylist()}
    return tuple(
        Month(
            f"{number // 12:04}-{number % 12 + 1:02}",
            found[number]["rows"] if number in found else 0,
            found[number]["amount"] if number in found else 0.0,
        )
        for number in range(min(found, default=0), max(found, default=-1) + 1)
    )


def _example(engine: Engine, lines: ir.Table) -> dict[str, str]:
    first = lines.order_by("ordered_at", "customer_id").limit(1)
    row = engine.con.to_pyarrow(first.drop("ordered_on", "money")).to_pylist()[0]
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> str:
    """
    >>> _text(dt.datetime(2024, 1, 31)), _text(None)
    ('2024-01-31T00:00:00', '(blank)')
    """
    if value is None:
        return "(blank)"
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else str(value)
