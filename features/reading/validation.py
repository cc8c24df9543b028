"""From a table as received to rows that count: read every cell, give every other row one reason, count the reasons.

A row has one reason, the first that holds. On or after `as_of` comes first, so that no row of the future can be an
error, a count of another reason, or a quoted offender.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import ibis
from ibis.expr import types as ir

from tiercast.contract import inputs
from tiercast.features.reading import columns, times, values
from tiercast.features.reading.report import LATE

UNREAD, ZONE, OTHER = "unread_", "zone_", "other_"


class TableRules(NamedTuple):
    """What makes a row of one table count: the columns it needs, and the one that says when."""

    table: str
    needed: tuple[str, ...]
    when: str | None


TRANSACTIONS = TableRules("transactions", ("customer_id", "ordered_at", "amount", "margin"), "ordered_at")
CUSTOMERS = TableRules("customers", ("customer_id",), "joined_on")
INTERACTIONS = TableRules("interactions", ("customer_id", "occurred_at", "kind"), "occurred_at")
OVERRIDES = TableRules("overrides", ("customer_id", "tier", "until"), None)


def parse(raw: ibis.Table, table: str, named: Mapping[str, str]) -> ibis.Table:
    """One row per row as received: our columns, beside each what could not be read, then the columns we do not know.

    Values are in `<column>`, texts that could not be read in `unread_<column>`, what a time in text says of its zone in
    `zone_<column>`, and unknown columns in `other_<name>`.
    """
    parts: dict[str, ir.Value] = {}
    for column in columns.TABLES[table]:
        if column.name in named:
            parts |= _cells(raw[named[column.name]], column)
    unknown = [name for name in raw.columns if name not in named.values()]
    return raw.select(**parts, **{OTHER + name: raw[name] for name in unknown})


def _cells(given: ir.Value, column: inputs.InputColumn) -> dict[str, ir.Value]:
    cell = values.READERS[column.kind](given, column.name)
    zone = {ZONE + column.name: times.zone(given)} if column.kind == "time" else {}
    return {column.name: cell.value, UNREAD + column.name: cell.unread} | zone


def validate(parsed: ibis.Table, rules: TableRules, as_of: datetime.date) -> ibis.Table:
    """`parsed` with the `reason` why a row does not count, null where it does."""
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
    return [(is_missing, f"unparsable_{name}")]


def valid_rows(validated: ibis.Table) -> ibis.Table:
    """The rows that count, with their unknown columns, without the marks."""
    marks = [name for name in validated.columns if name.startswith((UNREAD, ZONE)) or name == "reason"]
    return validated.filter(validated["reason"].isnull()).drop(*marks)


def known_columns(table: ibis.Table) -> list[str]:
    """Our columns of a parsed table."""
    return [name for name in table.columns if not name.startswith((UNREAD, ZONE, OTHER)) and name != "reason"]


def describe_row(validated: ibis.Table, names: Sequence[str]) -> ir.StringValue:
    """The row as its owner can find it: "customer_id=17850, ordered_at=2010-12-01 08:26:00, amount=n/a"."""
    return ibis.literal(", ").join([ibis.literal(f"{name}=") + _as_given(validated, name) for name in names])


def _as_given(validated: ibis.Table, name: str) -> ir.StringValue:
    text = validated[name].cast("string") if name in validated.columns else ibis.null("string")
    return text.fill_null(validated[UNREAD + name]).fill_null("(blank)")
