"""The feature table: one row per customer known on the as-of day.

The same expressions serve training, batch, online and Spark. `as_of` is required: nothing dated on
or after it can reach a column, because `orders.known` is applied before anything is counted.
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
    """One row per customer with any of the lines, all of them known before `as_of`: what features are computed from.

    A customer's row changes with the customer's lines and with the days that `history.spans` counts, and with nothing
    else. `serving.batch.incremental` keeps rows that did not change from one day to the next.
    """
    days = orders.with_neighbours(orders.daily(lines))
    table = days.group_by("customer_id").aggregate(**history.aggregates(days, exact.day_of(as_of), spec))
    wide = breadth.per_customer(lines, spec)
    return table if wide is None else _join(table, wide)


def from_aggregates(sums: ir.Table, tables: Tables, as_of: dt.date, spec: FeatureSpec) -> ir.Table:
    """The features from these sums and from the tables of customers and interactions; transactions are not read."""
    table = _purchases(sums, as_of, spec)
    if tables.customers is not None:
        table = _join_all(table, attributes.per_customer(tables.customers, as_of, spec))
    if tables.interactions is not None and spec.contact_kinds:
        table = _join(table, contacts.per_customer(tables.interactions, as_of, spec))
    columns = {name: _filled(table, name) for name in spec.names}
    return table.select("customer_id", **columns)


def _purchases(sums: ir.Table, as_of: dt.date, spec: FeatureSpec) -> ir.Table:
    """The sums with all that is arithmetic on them; who only ever returned something has no order."""
    table = sums.mutate(**history.of_buyers(sums))
    table = table.mutate(refund_share=history.refund_share(table), **history.derived(table, exact.day_of(as_of), spec))
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
