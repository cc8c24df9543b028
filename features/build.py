"""The feature table: one row per customer known on the as-of day.

The same expressions serve training, batch, online and Spark. `as_of` is required: nothing dated on
or after it can reach a column, because `orders.known` is applied before anything is counted.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
from ibis.expr import types as ir

from features import breadth, contacts, exact, history, orders, people
from features.spec import FeatureSpec
from features.tables import Tables


def build(tables: Tables, as_of: dt.date, spec: FeatureSpec) -> ir.Table:
    """`customer_id` and `spec.names`, all float64; order features are null for prospects."""
    lines = orders.known(tables.transactions, as_of)
    table = _purchases(lines, as_of, spec)
    if tables.customers is not None:
        table = _join_all(table, people.per_customer(tables.customers, as_of, spec))
    if tables.interactions is not None and spec.contact_kinds:
        table = _join(table, contacts.per_customer(tables.interactions, as_of, spec))
    columns = {name: _filled(table, name) for name in spec.names}
    return table.select("customer_id", **columns)


def _purchases(lines: ir.Table, as_of: dt.date, spec: FeatureSpec) -> ir.Table:
    """One row per customer with any line before `as_of`; who only ever returned something has no order."""
    today = exact.day_of(as_of)
    days = orders.with_neighbours(orders.daily(lines))
    sums = days.group_by("customer_id").aggregate(**history.aggregates(days, today, spec))
    table = sums.mutate(**history.of_buyers(sums))
    table = table.mutate(refund_share=history.refund_share(table), **history.derived(table, today, spec))
    wide = breadth.per_customer(lines, spec)
    if wide is None:
        return table
    table = _join(table, wide)
    return table.mutate(**breadth.derived(table, spec))


def _join(left: ir.Table, right: ir.Table) -> ir.Table:
    return left.left_join(right, "customer_id").drop("customer_id_right")


def _join_all(left: ir.Table, right: ir.Table) -> ir.Table:
    """Everyone in either table."""
    both = left.outer_join(right, "customer_id")
    either = ibis.coalesce(both["customer_id"], both["customer_id_right"])
    return both.mutate(customer_id=either).drop("customer_id_right")


def _filled(table: ir.Table, name: str) -> Any:
    """Counts of what never happened are 0, not unknown."""
    column = table[name]
    is_contact_count = name.startswith("n_") and name not in ("n_repeat_orders",)
    return column.fill_null(0.0) if is_contact_count else column
