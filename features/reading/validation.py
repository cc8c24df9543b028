"""Validate rows: parse every cell, and give each invalid row one reason.

The reason is the first that holds. A date on or after `as_of` comes first, so that no row of the future is an error,
counts for another reason, or is quoted.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import ibis
from ibis.expr import types as ir

from tiercast.contract import inputs
from tiercast.features.reading import columns, times, values
from tiercast.features.reading import dialect as dialects
from tiercast.features.reading.dialect import Dialect
from tiercast.features.reading.report import LATE

UNREAD, ZONE, OTHER, THREE = "unread_", "zone_", "other_", "three_"


NUMBERS = ("money", "number")


class TableRules(NamedTuple):
    """The rules of one table: the columns that a valid row needs, and the column of its time."""

    table: str
    needed: tuple[str, ...]
    when: str | None


TRANSACTIONS = TableRules("transactions", ("customer_id", "ordered_at", "amount", "margin"), "ordered_at")
CUSTOMERS = TableRules("customers", ("customer_id",), "joined_on")
INTERACTIONS = TableRules("interactions", ("customer_id", "occurred_at", "kind"), "occurred_at")
OVERRIDES = TableRules("overrides", ("customer_id", "tier", "until"), None)


def parse(raw: ibis.Table, table: str, named: Mapping[str, str], dialect: Dialect = dialects.AS_WRITTEN) -> ibis.Table:
    """One parsed row per row received.

    Values are in `<column>`, unreadable texts in `unread_<column>`, the kind of zone of a time in `zone_<column>`, and
    columns that are not ours in `other_<name>`. `three_<column>` marks numbers in text like 1.234: see `forms`, which
    also reads the texts of a dialect that says what plain text would be misread in.
    """
    parts: dict[str, ir.Value] = {}
    for column in columns.TABLES[table]:
        if column.name in named:
            parts |= _cells(raw[named[column.name]], column, dialect)
    unknown = [name for name in raw.columns if name not in named.values()]
    return raw.select(**parts, **{OTHER + name: raw[name] for name in unknown})


def _cells(given: ir.Value, column: inputs.InputColumn, dialect: Dialect) -> dict[str, ir.Value]:
    is_plain = (
        not dialect.date_format if column.kind == "time" else column.kind not in NUMBERS or dialect.decimal != ","
    )
    cell = (values.READERS if is_plain else values.UNREAD_TEXTS)[column.kind](given, column.name)
    marks = {ZONE + column.name: times.zone(given)} if column.kind == "time" else {}
    if column.kind in NUMBERS and given.type().is_string() and not dialect.decimal:
        marks = {THREE + column.name: values.has_three_places(given)}
    return {column.name: cell.value, UNREAD + column.name: cell.unread} | marks


def validate(parsed: ibis.Table, rules: TableRules, as_of: datetime.date) -> ibis.Table:
    """`parsed` with the `reason` why a row is invalid; null for valid rows."""
    late = [(is_late(parsed, rules, as_of), LATE)] if rules.when in parsed.columns else []
    faults = [fault for name in rules.needed if name in parsed.columns for fault in _faults(parsed, name, rules)]
    return parsed.mutate(reason=ibis.cases(*late, *faults, else_=ibis.null("string")))


def is_late(parsed: ibis.Table, rules: TableRules, as_of: datetime.date) -> ir.BooleanValue:
    """Whether a row is dated on or after midnight UTC of `as_of`; a row without a date is not."""
    return parsed[rules.when] >= ibis.literal(as_of).cast(times.TIMESTAMP)


def _faults(parsed: ibis.Table, name: str, rules: TableRules) -> list[tuple[ir.BooleanValue, str]]:
    is_missing, is_unread = parsed[name].isnull(), parsed[UNREAD + name].notnull()
    if name == "customer_id":
        return [(is_missing, "no_customer_id")]
    if name == rules.when:
        return [(is_missing & is_unread, "unparsable_timestamp"), (is_missing, "no_timestamp")]
    if name == "kind":
        return [(~parsed[name].isin(inputs.INTERACTION_KINDS) | is_missing, "unknown_kind")]
    return [(is_missing & is_unread, f"unparsable_{name}"), (is_missing, f"no_{name}")]


def valid_rows(validated: ibis.Table) -> ibis.Table:
    """The valid rows, with columns that are not ours, without the columns of validation."""
    marks = [name for name in validated.columns if name.startswith((UNREAD, ZONE)) or name == "reason"]
    return validated.filter(validated["reason"].isnull()).drop(*marks)


def known_columns(table: ibis.Table) -> list[str]:
    """Our columns of a parsed table."""
    return [name for name in table.columns if not name.startswith((UNREAD, ZONE, OTHER)) and name != "reason"]


def describe_row(validated: ibis.Table, names: Sequence[str]) -> ir.StringValue:
    """The row as text: "customer_id=17850, ordered_at=2010-12-01 08:26:00, amount=n/a"."""
    return ibis.literal(", ").join([ibis.literal(f"{name}=") + _as_given(validated, name) for name in names])


def _as_given(validated: ibis.Table, name: str) -> ir.StringValue:
    text = validated[name].cast("string") if name in validated.columns else ibis.null("string")
    return text.fill_null(validated[UNREAD + name]).fill_null("(blank)")
