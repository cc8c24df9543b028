"""The transactions: one row per purchase line, known before `as_of`."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import ibis

from tiercast.contract import addresses, errors
from tiercast.features.engines import Engine
from tiercast.features.reading import checks, order_counts, row_counts, source_table, times, validation
from tiercast.features.reading.presets import Preset, steps
from tiercast.features.reading.presets.report import PresetReport
from tiercast.features.reading.report import DUPLICATE, TableReport
from tiercast.features.reading.row_counts import Span
from tiercast.features.reading.source_table import OpenedTable
from tiercast.features.reading.sources import Sources

FIRST_COLUMNS = ("customer_id", "ordered_at", "ordered_on", "money", "amount")


class CustomerCounts(NamedTuple):
    """`duplicates` counts the rows beyond the first of each set of rows equal in every column."""

    customers: int
    buyers: int
    duplicates: int


class Transactions(NamedTuple):
    """The canonical table with its report; `counts` is None unless they were requested."""

    table: ibis.Table
    report: TableReport
    span: Span
    converted_to_utc: int
    as_of: datetime.date
    counts: CustomerCounts | None
    by_preset: PresetReport | None
    preset: Preset | None


def read(engine: Engine, sources: Sources, as_of: datetime.date | None, *, is_counted: bool) -> Transactions:
    """Read, validate and count the rows. `as_of` None means the day after the newest row. Raises `BadInput`."""
    opened = source_table.open_transactions(engine, sources, as_of)
    applied = steps.apply(opened.parsed, opened.preset, sources.currency) if opened.preset else None
    parsed = applied.table if applied else opened.parsed
    parsed = order_counts.unpriced(parsed) if sources.counts_orders else parsed
    as_of = as_of or _day_after_newest(engine, opened.parsed)
    place = addresses.redact(sources.transactions)
    by_preset = steps.count(engine, applied, as_of, place) if applied else None
    validated = validation.validate(parsed, validation.TRANSACTIONS, as_of)
    of_rows = row_counts.count(engine.con, validated, validation.TRANSACTIONS)
    checks.cells(of_rows, validation.TRANSACTIONS)
    span = checks.transactions(of_rows, place, as_of)
    valid, drops = validation.valid_rows(validated), sources.duplicates == "drop"
    counts = _count(engine, valid) if is_counted or drops else None
    n_dropped = counts.duplicates if counts and drops else 0
    kept = valid.distinct() if n_dropped else valid
    table = canonical(order_counts.per_day(kept) if sources.counts_orders else kept)
    report = row_counts.report("transactions", of_rows, validation.TRANSACTIONS.needed, opened.read_as)
    converted = of_rows.zones["ordered_at"][times.MOVED]
    return Transactions(
        table,
        _without_duplicates(report, n_dropped),
        span,
        converted,
        as_of,
        counts,
        by_preset,
        _as_given(opened, sources),
    )


def _as_given(opened: OpenedTable, sources: Sources) -> Preset | None:
    """The preset as it was given, before it took over the names of this file: another file may have others."""
    used = opened.preset.name if opened.preset else None
    return next((preset for preset in sources.presets if preset.name == used), None)


def canonical(valid: ibis.Table) -> ibis.Table:
    """The columns of `features.tables.Tables.transactions`."""
    others = [name for name in validation.known_columns(valid) if name not in FIRST_COLUMNS]
    return valid.select(
        customer_id=valid["customer_id"],
        ordered_at=valid["ordered_at"],
        ordered_on=valid["ordered_at"].date(),
        money=valid["margin" if "margin" in valid.columns else "amount"],
        amount=valid["amount"],
        **{name: valid[name] for name in others},
    )


def _day_after_newest(engine: Engine, parsed: ibis.Table) -> datetime.date:
    newest: datetime.datetime | None = engine.con.to_pyarrow(parsed["ordered_at"].max()).as_py()
    if newest is None:
        return datetime.date.max
    if newest.date() == datetime.date.max:
        raise errors.NothingKnown(
            "the newest row is of the last day there is, so no day after it can be --as-of",
            first=f"ordered_at={newest}",
            hint="pass --as-of YYYY-MM-DD: rows on or after it are not looked at",
        )
    return newest.date() + datetime.timedelta(days=1)


def _count(engine: Engine, valid: ibis.Table) -> CustomerCounts:
    by_customer = valid.group_by("customer_id").aggregate(is_buyer=(valid["amount"] >= 0).any())
    customers = by_customer.aggregate(n=by_customer.count(), buyers=by_customer["is_buyer"].sum())
    found = engine.con.to_pyarrow(customers).to_pylist()[0]
    n_rows, n_distinct = valid.count(), valid.distinct().count()
    duplicates = engine.con.to_pyarrow(n_rows).as_py() - engine.con.to_pyarrow(n_distinct).as_py()
    return CustomerCounts(found["n"], int(found["buyers"] or 0), duplicates)


def _without_duplicates(report: TableReport, n_duplicates: int) -> TableReport:
    if not n_duplicates:
        return report
    dropped = report.dropped | {DUPLICATE: n_duplicates}
    return report._replace(rows_kept=report.rows_kept - n_duplicates, dropped=dropped)
