"""Read the cells that are no plain number and no ISO 8601 time, where all cells of their column allow one reading only.

The first look (`validation.parse`) reads plain forms, which is fast, and keeps the text of every other cell. Only where
there are such texts, the forms of a whole column are counted here, and decide. What would change a number is refused
with its evidence and the option to pass.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, NamedTuple

import ibis
from ibis.expr import types as ir

from tiercast.features.engines import Engine
from tiercast.features.reading import columns, date_format, dates, local_time, times, values
from tiercast.features.reading.dialect import Dialect
from tiercast.features.reading.forms import amount_decision, amounts, date_decision
from tiercast.features.reading.forms.amount_decision import Signs
from tiercast.features.reading.forms.date_decision import NumberForm
from tiercast.features.reading.validation import THREE, UNREAD, ZONE

FROM_TEXT = "from another form"
WHEN = {"transactions": "ordered_at", "customers": "joined_on", "interactions": "occurred_at"}


class FormedRows(NamedTuple):
    """The rows with more cells read than before, and one note per column that had such cells."""

    rows: ibis.Table
    notes: tuple[str, ...]


class TextColumn(NamedTuple):
    """A column of ours: its kind, its name in the file, and how messages call it."""

    name: str
    kind: str
    given: str
    place: str


def read(
    engine: Engine,
    rows: ibis.Table,
    table: str,
    named: Mapping[str, str],
    dialect: Dialect,
    as_of: datetime.date | None,
) -> FormedRows:
    """Read the rest of the cells of parsed and stored rows. Rows on or after `as_of` do not decide how others are read.

    Raises `WrongType` and `AmbiguousNumber`.
    """
    ours = [
        TextColumn(column.name, column.kind, named[column.name], f"{column.name} of the {table}")
        for column in columns.TABLES[table]
        if column.name in named and column.kind in ("time", "money", "number")
    ]
    ours = _with_texts(engine, rows, ours)
    dated = FormedRows(rows, ())
    for column in ours:
        if column.kind == "time":
            dated = _add(dated, _times(engine, dated.rows, column, dialect, table, as_of))
    moved = dated._replace(rows=local_time.move(engine, dated.rows, dialect.timezone))
    known = _is_known(moved.rows, table, as_of)
    for column in ours:
        if column.kind != "time":
            moved = _add(moved, _numbers(engine, moved.rows, column, dialect, known))
    marks = [name for name in rows.columns if name.startswith(THREE)]
    return moved._replace(rows=moved.rows.drop(*marks))


def _add(before: FormedRows, column: tuple[ibis.Table, str]) -> FormedRows:
    """The rows with one more column read, unless none of its cells was."""
    rows, note = column
    return FormedRows(rows, (*before.notes, note)) if note else before


def _with_texts(engine: Engine, rows: ibis.Table, ours: list[TextColumn]) -> list[TextColumn]:
    """The columns with a cell that the first look left unread, or that may mean something else."""
    counts = {column.name: rows[UNREAD + column.name].count() + _threes(rows, column.name).sum() for column in ours}
    if not counts:
        return []
    found = engine.con.to_pyarrow(rows.aggregate(**counts)).to_pylist()[0]
    return [column for column in ours if found[column.name]]


def _threes(rows: ibis.Table, name: str) -> ir.BooleanValue:
    marks = rows[THREE + name].fill_null(False) if THREE + name in rows.columns else False
    return ibis.ifelse(rows[name].isnull(), False, marks)


def _is_known(rows: ibis.Table, table: str, as_of: datetime.date | None) -> ir.BooleanValue:
    when = WHEN.get(table)
    return _is_before(rows[when], as_of) if when in rows.columns else ibis.literal(True)


def _is_before(time: ir.Value, as_of: datetime.date | None) -> ir.BooleanValue:
    """Whether a time is before `as_of`; one that is not known counts as before."""
    return (
        ibis.literal(True) if as_of is None else ~(time >= ibis.literal(as_of).cast(times.TIMESTAMP)).fill_null(False)
    )


def _evidence(engine: Engine, rows: ibis.Table, measures: Mapping[str, ir.Value]) -> dict[str, Any]:
    found: dict[str, Any] = engine.con.to_pyarrow(rows.aggregate(**measures)).to_pylist()[0]
    return found


def _times(
    engine: Engine, rows: ibis.Table, column: TextColumn, dialect: Dialect, table: str, as_of: datetime.date | None
) -> tuple[ibis.Table, str]:
    value, text = rows[column.name], rows[UNREAD + column.name]
    found = _evidence(engine, rows, date_decision.measures(value, text, _is_known(rows, table, as_of)))
    how = date_decision.numbers(found, dialect, column.given, column.place)
    instant = _instant(text, dialect, how)
    iso = _iso(text, dialect, how)
    zone = ibis.cases((instant.notnull(), times.UTC), (iso.notnull(), times.zone(iso)), else_=rows[ZONE + column.name])
    read = value.coalesce(instant, times.at_utc(iso))
    changed = rows.mutate(
        {
            column.name: read,
            UNREAD + column.name: ibis.ifelse(read.isnull(), text, ibis.null("string")),
            ZONE + column.name: zone,
        }
    )
    return changed, _note(engine, rows, column, read, text, _unit(dialect, how), _is_before(read, as_of))


def _unit(dialect: Dialect, how: NumberForm) -> str:
    if dialect.date_format == "excel":
        return "as the days that Excel counts"
    return f"as {how.unit} since 1970, in UTC" if how.unit else FROM_TEXT


def _instant(text: ir.Value, dialect: Dialect, how: NumberForm) -> ir.Value:
    """Times that are counted in numbers since 1970."""
    return dates.since_1970(text, how.unit) if how.unit else ibis.null(times.TIMESTAMP)


def _iso(text: ir.Value, dialect: Dialect, how: NumberForm) -> ir.Value:
    """Times that are written, as ISO 8601 text: in the format of the dialect, else in one that begins with the year."""
    year_first = [dates.year_first(text)]
    if how.has_eight_digits and dialect.date_format != "excel":
        year_first.append(dates.eight_digits(text))
    if dialect.date_format in ("", "iso", "epoch"):
        return ibis.coalesce(*year_first)
    if dialect.date_format == "excel":
        return ibis.coalesce(*year_first, dates.excel(text).cast("string"))
    form = date_format.as_iso(text, date_format.parse(dialect.date_format))
    return form if dialect.date_format.startswith("%Y") else ibis.coalesce(form, *year_first)


def _numbers(
    engine: Engine, rows: ibis.Table, column: TextColumn, dialect: Dialect, known: ir.BooleanValue
) -> tuple[ibis.Table, str]:
    value, text, threes = rows[column.name], rows[UNREAD + column.name], _threes(rows, column.name)
    found = _evidence(engine, rows, amount_decision.measures(value, text, threes, known))
    first_three = _first_three(engine, rows, value, threes & known) if found["threes"] else None
    signs = amount_decision.signs(found, dialect, column.place, first_three)
    amount_decision.refuse_currencies(found, column.place)
    read = value.coalesce(_number(text, signs, column))
    changed = rows.mutate(
        {column.name: read, UNREAD + column.name: ibis.ifelse(read.isnull(), text, ibis.null("string"))}
    )
    return changed, _note(engine, rows, column, read, text, FROM_TEXT, known)


def _number(text: ir.Value, signs: Signs, column: TextColumn) -> ir.Value:
    plain = amounts.as_number(text, signs.decimal, signs.thousands)
    return values.READERS[column.kind](plain, column.name).value  # type: ignore[index]


def _first_three(engine: Engine, rows: ibis.Table, value: ir.Value, where: ir.BooleanValue) -> str | None:
    """One of the plain cells like 250.000, as it was written."""
    smallest = engine.con.to_pyarrow(rows.aggregate(first=ibis.ifelse(where, value, None).min())).to_pylist()[0][
        "first"
    ]
    return None if smallest is None else f"{smallest:.3f}"


def _note(
    engine: Engine,
    rows: ibis.Table,
    column: TextColumn,
    read: ir.Value,
    text: ir.Value,
    how: str,
    known: ir.BooleanValue,
) -> str:
    """How many cells of known rows were read in another form, and the first of them as written and as read."""
    is_new = text.notnull() & read.notnull() & known
    pair = text + " is " + read.cast("string")
    counts = rows.aggregate(n=is_new.sum().coalesce(0), first=ibis.ifelse(is_new, pair, ibis.null("string")).min())
    found = engine.con.to_pyarrow(counts).to_pylist()[0]
    return f"{found['n']:,} cells of {column.name} are read {how}: {found['first']}" if found["n"] else ""
