"""Parse times to UTC: dates, timestamps with or without a zone, and ISO 8601 text.

A date is midnight. A timestamp without a zone is taken to be UTC; an explicit offset is converted. Text that is not
ISO 8601 (31/01/2024, 31 Jan) is not parsed.
"""

from __future__ import annotations

import ibis
from ibis.expr import types as ir

DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
OFFSET = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
TIME = rf"^ *{DAY}([T ]{CLOCK}{OFFSET}?)? *$"
ZONED = rf":[0-9.:]+{OFFSET} *$"
AT_UTC = r":[0-9.:]+(Z|[+-]00(:?00)?) *$"
SHORTEST_ZONED = len("2024-01-31T12:30Z")
TIMESTAMP = "timestamp(6)"
FIRST, LAST = "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"

LOCAL, UTC, MOVED = "local", "utc", "moved"


def at_utc(column: ir.Value) -> ir.Value:
    """The same instant as a UTC timestamp without a zone; null where the text is no ISO 8601 date or time."""
    if not column.type().is_string():
        return _in_calendar(column.cast(TIMESTAMP))
    # A cast that looks for a zone takes DuckDB four times as long.
    moved = column.try_cast("timestamp('UTC')").cast(TIMESTAMP)
    read = ibis.ifelse(_is_zoned(column), moved, column.try_cast(TIMESTAMP))
    return ibis.ifelse(column.re_search(TIME), _in_calendar(read), ibis.null(TIMESTAMP))


def _in_calendar(value: ir.Value) -> ir.Value:
    """Null for a time that is no date of the calendar that Python and SQL share, like the year 0 or infinity."""
    first, last = ibis.literal(FIRST).cast(TIMESTAMP), ibis.literal(LAST).cast(TIMESTAMP)
    return ibis.ifelse((value >= first) & (value <= last), value, ibis.null(TIMESTAMP))


def zone(column: ir.Value) -> ir.Value:
    """The kind of zone of a time in text: none, UTC or another offset; of a typed column UTC or null."""
    if not column.type().is_string():
        return ibis.literal(UTC if _has_zone(column) else None, "string")
    return ibis.cases((~_is_zoned(column), LOCAL), (column.re_search(AT_UTC), UTC), else_=MOVED)


def _has_zone(column: ir.Value) -> bool:
    return bool(column.type().is_timestamp() and column.type().timezone is not None)


def _is_zoned(column: ir.Value) -> ir.BooleanValue:
    return (column.length() >= SHORTEST_ZONED) & column.re_search(ZONED)
