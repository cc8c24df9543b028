"""The transactions: one row per purchase line, known before `as_of`."""

from __future__ import annotations

import datetime
from typing import Literal, NamedTuple

import ibis

from tiercast.contract import places
from tiercast.features.engines import Engine
from tiercast.features.reading import checks, source_table, times, validation
from tiercast.features.reading import row_counts as tallies
from tiercast.features.reading.report import DUPLICATE, TableReport
from tiercast.features.reading.row_counts import Span
from tiercast.features.reading.sources import Sources

Duplicates = Literal["keep", "drop"]
FIRST_COLUMNS = ("customer_id", "ordered_at", "ordered_on", "money", "amount")


class Counts(NamedTuple):
    """`duplicates` counts the rows beyond the first of each set of rows equal in every column."""

    customers: int
    buyers: int
    duplicates: int


class Part(NamedTuple):
    """The canonical table with its report; `counts` is None when not asked for."""

    table: ibis.Table
    report: TableReport
    span: Span
    converted_to_utc: int
    as_of: datetime.date
    counts: Counts | None


def read(engine: Engine, place: Sources, as_of: datetime.date | None, duplicates: Duplicates, is_counted: bool) -> Part:
    """Read, judge, count, refuse or return. `as_of` None means the day after the newest row."""
    parsed = source_table.open_table(engine, "transactions", place)
    as_of = as_of or _day_after_newest(engine, parsed)
    judged = validation.judge(parsed, validation.TRANSACTIONS, as_of)
    tally = tallies.count(engine.con, judged, validation.TRANSACTIONS)
    checks.cells(tally, validation.TRANSACTIONS)
    span = checks.transactions(tally, places.shown(place.transactions), as_of)
    kept = validation.kept(judged)
    counts = _count(engine, kept) if is_counted or duplicates == "drop" else None
    n_dropped = counts.duplicates if counts and duplicates == "drop" else 0
    table = canonical(kept.distinct()) if n_dropped else canonical(kept)
    report = tallies.report("transactions", tally, needed=validation.TRANSACTIONS.needed)
    moved = tally.zones["ordered_at"][times.MOVED]
    return Part(table, _without(report, n_dropped), span, moved, as_of, counts)


def canonical(kept: ibis.Table) -> ibis.Table:
    """The columns of `features.tables.Tables.transactions`."""
    others = [name for name in validation.known_columns(kept) if name not in FIRST_COLUMNS]
    return kept.select(
        customer_id=kept["customer_id"],
        ordered_at=kept["ordered_at"],
        ordered_on=kept["ordered_at"].date(),
        money=kept["margin" if "margin" in kept.columns else "amount"],
        amount=kept["amount"],
        **{name: kept[name] for name in others},
    )


def _day_after_newest(engine: Engine, parsed: ibis.Table) -> datetime.date:
    newest = engine.con.to_pyarrow(parsed["ordered_at"].max()).as_py()
    return newest.date() + datetime.timedelta(days=1) if newest else datetime.date.max


def _count(engine: Engine, kept: ibis.Table) -> Counts:
    by_customer = kept.group_by("customer_id").aggregate(is_buyer=(kept["amount"] >= 0).any())
    people = by_customer.aggregate(n=by_customer.count(), buyers=by_customer["is_buyer"].sum())
    found = engine.con.to_pyarrow(people).to_pylist()[0]
    n_rows, n_different = kept.count(), kept.distinct().count()
    twins = engine.con.to_pyarrow(n_rows).as_py() - engine.con.to_pyarrow(n_different).as_py()
    return Counts(found["n"], int(found["buyers"] or 0), twins)


def _without(report: TableReport, n_duplicates: int) -> TableReport:
    if not n_duplicates:
        return report
    dropped = report.dropped | {DUPLICATE: n_duplicates}
    return report._replace(rows_kept=report.rows_kept - n_duplicates, dropped=dropped)
