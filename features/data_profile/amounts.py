"""Amounts that mean something else: an order's total on each of its lines, one customer who is half of the shop."""

from __future__ import annotations

from collections.abc import Iterator

from ibis.expr import types as ir

from tiercast.features.data_profile.findings import Finding
from tiercast.features.data_profile.summary import Summary
from tiercast.features.engines import Engine

LEAST_ORDERS = 20
REPEATED, ONE_CUSTOMER = 0.9, 0.25


def find(engine: Engine, lines: ir.Table, counted: Summary) -> Iterator[Finding]:
    """Findings about money."""
    if "order_id" in lines.columns:
        yield from _repeated_totals(engine, lines)
    for share, unit in ((counted.largest_share_of_orders, "orders"), (counted.largest_share_of_amount, "spending")):
        if counted.customers > LEAST_ORDERS and share is not None and share > ONE_CUSTOMER:
            yield Finding(
                f"one_customer_{unit}",
                f"one of {counted.customers:,} customers has {share:.0%} of all {unit}",
                "if it is a till, a test or a dealer, leave it out of the file",
            )


def _repeated_totals(engine: Engine, lines: ir.Table) -> Iterator[Finding]:
    """Orders of several lines with one amount on all of them."""
    known = lines.filter(lines.order_id.notnull() & (lines.amount > 0))
    by_order = known.group_by("customer_id", "order_id").aggregate(
        rows=known.count(), low=known.amount.min(), high=known.amount.max()
    )
    several = by_order.filter(by_order.rows > 1)
    same = (several.low == several.high).sum()
    counts = several.aggregate(n=several.count(), same=same, prices=several.low.nunique())
    row = engine.con.to_pyarrow(counts).to_pylist()[0]
    n, equal, prices = row["n"], int(row["same"] or 0), row["prices"]
    if n >= LEAST_ORDERS and equal >= REPEATED * n and prices > 2:
        yield Finding(
            "repeated_total",
            f"{equal:,} of {n:,} orders of several lines have the same amount on each line",
            "if that is the order's total, keep one line per order, or name the line's own: --column amount=...",
        )
