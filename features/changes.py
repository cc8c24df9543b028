"""Customers whose aggregates may differ from an earlier day's: new or changed rows, orders that left a window.

Old rows are checked too: every row is hashed, and the hashes are summed per group of customers. The sum does not
depend on the order of rows, and differs when a row is added, changed or gone. A change causes its group (1 customer in
2,048) to be computed again. Only DuckDB is supported: its hash is fast, but may change with its version, so sums of
different versions are never compared.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import operator

import ibis
from ibis.expr import types as ir

from tiercast.features import build, exact, history
from tiercast.features.spec import FeatureSpec

GROUPS = 1 << 11
TEXTS = ("product_id", "category", "channel")
Days = tuple[int, int]  # from and before, counted from 1970-01-01


def groups(lines: ir.Table, last: dt.date, spec: FeatureSpec) -> ir.Table:
    """One row per group, and per side of `last`: `group`, `is_before`, the number of `rows`, and the `total` of hashes.

    Only the columns that the aggregates are computed from are hashed.
    """
    used = ["customer_id", "ordered_on", "amount", *spec.columns]
    # DuckDB combines the hashes of columns by xor: two rows that exchange an amount could leave the total as it was.
    # A second hash prevents that.
    row = ibis.struct({name: lines[name] for name in used}).hash().hash()
    marked = lines.select(group=group_of(lines.customer_id), is_before=lines.ordered_at < _midnight(last), row=row)
    # DuckDB adds in 128 bits, whatever type Ibis assumes.
    total = marked.row.sum().cast("decimal(38, 0)")
    return marked.group_by("group", "is_before").aggregate(rows=marked.count(), total=total)


def definition(spec: FeatureSpec) -> str:
    """A digest of the query that computes the aggregates: another one when their definition changes."""
    money = {"money": "decimal(18, 6)", "amount": "decimal(18, 6)"}
    others = {name: "string" if name in TEXTS else "float64" for name in spec.columns}
    lines = ibis.table({"customer_id": "string", "ordered_on": "date", **money, **others}, name="lines")
    return hashlib.sha256(
        ibis.to_sql(build.aggregates(lines, exact.EPOCH, spec), dialect="duckdb").encode()
    ).hexdigest()


def group_of(customer_id: ir.Value) -> ir.IntegerValue:
    return customer_id.hash() & (GROUPS - 1)


def merge_sides(found: ir.Table) -> ir.Table:
    """The rows on both sides of the earlier day together: `group`, `rows`, `total`."""
    return found.group_by("group").aggregate(rows=found.rows.sum(), total=found.total.sum().cast("decimal(38, 0)"))


def changed_groups(found: ir.Table, kept: ir.Table) -> ir.Table:
    """The `group`s whose rows before the earlier day differ from those that were saved then (`kept`)."""
    before = found.filter(found.is_before)
    both = before.outer_join(kept, "group")
    is_same = (both.rows == both.rows_right) & (both.total == both.total_right)
    return both.filter(~is_same.fill_null(False)).select(group=ibis.coalesce(both.group, both.group_right))


def customers(lines: ir.Table, last: dt.date, as_of: dt.date, spec: FeatureSpec, late: ir.Table | None) -> ir.Table:
    """`customer_id` of the customers to compute again; `late` has the changed groups, or is None."""
    conditions = [_between(lines.ordered_at, days) for days in edges(exact.day_of(last), exact.day_of(as_of), spec)]
    if late is not None:
        conditions.append(group_of(lines.customer_id).isin(late.group))
    if not conditions:
        return lines.limit(0).select("customer_id")
    return lines.filter(functools.reduce(operator.or_, conditions)).select("customer_id").distinct()


def edges(last: int, today: int, spec: FeatureSpec) -> list[Days]:
    """The spans of days that are new, or inside a window on one of the two days only.

    >>> edges(1000, 1001, FeatureSpec(windows=(30,)))
    [(1000, 1001), (970, 971)]
    >>> edges(1000, 1100, FeatureSpec(windows=(30,)))
    [(1000, 1100), (970, 1000), (1070, 1100)]
    """
    then, now = history.spans(last, spec), history.spans(today, spec)
    found = [(last, today)]
    for name in then:
        (start, end), (new_start, new_end) = then[name], now[name]
        found += [(start, min(end, new_start)), (max(end, new_start), new_end)]
    return [(start, end) for start, end in dict.fromkeys(found) if start < end]


def _between(at: ir.TimestampValue, days: Days) -> ir.BooleanValue:
    """Compares times, not days: Parquet has statistics of the time as it was read."""
    start, end = (_midnight(exact.EPOCH + dt.timedelta(day)) for day in days)
    return (at >= start) & (at < end)


def _midnight(day: dt.date) -> ir.TimestampScalar:
    return ibis.literal(day).cast("timestamp(6)")
