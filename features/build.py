"""The feature table: one row per customer known on the as-of day.

Training, batch, online and Spark use the same expressions. `as_of` is required: `orders.known` is applied before
anything is counted, so no row dated on or after it reaches a column.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
from ibis.expr import types as ir

from tiercast.features import (
    attributes,
    breadth,
    contacts,
    exact,
    history,
    orders,
)
from tiercast.features.spec import FeatureSpec
from tiercast.features.tables import Tables


def build(tables: Tables, as_of: dt.date, spec: FeatureSpec) -> ir.Table:
    """`customer_id` and `spec.names`, all float64; order features are null for prospects."""
    return from_aggregates(aggregates(orders.known(tables.transactions, as_of), as_of, spec), tables, as_of, spec)


def aggregates(lines: ir.Table, as_of: dt.date, spec: FeatureSpec) -> ir.Table:
    """The aggregates from which features are computed: one row per customer with any of the `lines`.

    All lines are dated before `as_of`. A row depends on the customer's lines and on the days that `history.spans`
    counts, and on nothing else. `serving.batch.incremental` keeps rows that did not change from one day to the next.
    """
    days = orders.with_neighbours(orders.daily(lines))
    table = days.group_by("customer_id").aggregate(**history.aggregates(days, exact.day_of(as_of), spec))
    wide = breadth.per_customer(lines, spec)
    return table if wide is None else _join(table, wide)


def from_aggregates(aggregates: ir.Table, tables: Tables, as_of: dt.date, spec: FeatureSpec) -> ir.Table:
    """The features from the aggregates and from the tables of customers and interactions; no transaction is read."""
    table = _purchases(aggregates, as_of, spec)
    if tables.customers is not None:
        table = _join_all(table, attributes.per_customer(tables.customers, as_of, spec))
    if tables.interactions is not None and spec.contact_kinds:
        table = _join(table, contacts.per_customer(tables.interactions, as_of, spec))
    columns = {name: _filled(table, name) for name in spec.names}
    return table.select("customer_id", **columns)


def _purchases(aggregates: ir.Table, as_of: dt.date, spec: FeatureSpec) -> ir.Table:
    """The aggregates with the features derived from them. A customer with refunds only has no order."""
    table = aggregates.mutate(**history.null_without_orders(aggregates))
    table = table.mutate(refund_share=history.refund_share(table), **history.derived(table, exact.day_of(as_of), spec))
    return table.mutate(**breadth.derived(table, spec))


def _join(left: ir.Table, right: ir.Table) -> ir.Table:
    return left.left_join(right, "customer_id").drop("customer_id_right")


def _join_all(left: ir.Table, right: ir.Table) -> ir.Table:
    """All customers of either table."""
    both = left.outer_join(right, "customer_id")
    either = ibis.coalesce(both["customer_id"], both["customer_id_right"])
    return both.mutate(customer_id=either).drop("customer_id_right")


def _filled(table: ir.Table, name: str) -> Any:
    """A count without any event is 0, not null."""
    column = table[name]
    is_contact_count = name.startswith("n_") and name not in ("n_repeat_orders",)
    return column.fill_null(0.0) if is_contact_count else column
