"""Parse cells: ids, times, money, numbers and labels, from any type that a file may have.

Each reader returns the value, null where the cell cannot be parsed, and then the cell's text, so that every dropped
cell is counted and quoted. A type from which no cell can be parsed raises `WrongType` at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import ibis
from ibis.expr import types as ir

from tiercast.contract import errors, inputs
from tiercast.features.reading import times

MONEY = f"decimal({inputs.MONEY_DIGITS}, {inputs.MONEY_PLACES})"
LARGEST_EXACT_FLOAT = 2.0**53
NUMBER = r"^ *[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})? *$"


class ParsedCell(NamedTuple):
    """`value` is null where nothing could be read; `unread` then is the cell's text, null where it was blank."""

    value: ir.Value
    unread: ir.Value


def identifier(column: ir.Value, name: str) -> ParsedCell:
    """Text as it is, integers as their digits, floats as integers ("17850" for 17850.0); blank is null.

    A float that is no whole number, or too large to be sure of its last digit, stays unread.
    """
    kind = column.type()
    if kind.is_string():
        return ParsedCell(unblank(column), _nothing())
    if kind.is_integer() or (kind.is_decimal() and kind.scale == 0) or kind.is_uuid():
        return ParsedCell(column.cast("string"), _nothing())
    if kind.is_floating() or kind.is_decimal():
        number = column.cast("float64")
        whole = number.try_cast("int64")
        is_whole = (number.abs() <= LARGEST_EXACT_FLOAT) & (whole.cast("float64") == number)
        value = ibis.ifelse(is_whole, whole.cast("string"), ibis.null("string"))
        text = _written(column).nullif("nan")
        return ParsedCell(value, _unread(text, value))
    raise _wrong(column, name, "an id", "write it as text or as a whole number")


def label(column: ir.Value, name: str) -> ParsedCell:
    """Any plain value as text; whole floats without their ".0"; blank is null."""
    kind = column.type()
    if kind.is_nested() or kind.is_binary():
        raise _wrong(column, name, "a label", "write it as text")
    if not kind.is_floating():
        return ParsedCell(unblank(column.cast("string")), _nothing())
    return ParsedCell(identifier(column, name).value.fill_null(_written(column)), _nothing())


def money(column: ir.Value, name: str) -> ParsedCell:
    """A decimal with six places, the seventh rounded; NaN, infinite and amounts of 10^11 and more stay unread.

    Text must be a plain number ("12.50", "-3", "1e2"): no currency sign, no thousands separator, no blank inside.
    """
    exact = _numeric(column, name).try_cast(MONEY)
    value = ibis.ifelse(exact.abs() < inputs.TOO_MUCH, exact, ibis.null(MONEY))
    return ParsedCell(value, _unread(_text(column), value))


def number(column: ir.Value, name: str) -> ParsedCell:
    """A finite float64."""
    value = _numeric(column, name).try_cast("float64")
    # The statistics of a Parquet file leave NaN out, and DuckDB 2.0 relies on them: neither isnan nor a comparison with
    # infinity finds it. A difference has no statistics; NaN and infinity minus themselves are NaN.
    finite = ibis.ifelse(value - value == 0, value, ibis.null("float64"))
    return ParsedCell(finite, _unread(_text(column), finite))


def bounded_number(column: ir.Value, name: str) -> ParsedCell:
    """A number below 10^11, as money is, so that exact sums of billions of rows fit."""
    read = number(column, name).value
    value = ibis.ifelse(read.abs() < inputs.TOO_MUCH, read, ibis.null("float64"))
    return ParsedCell(value, _unread(_text(column), value))


def _numeric(column: ir.Value, name: str) -> ir.Value:
    """The column as it is if it is of numbers; of text, those cells that are plain numbers."""
    kind = column.type()
    if kind.is_string():
        return ibis.ifelse(column.re_search(NUMBER), column, ibis.null("string"))
    if _is_number(column):
        return column
    raise _wrong(column, name, "a number", "write it as plain numbers like 12.50")


def time(column: ir.Value, name: str) -> ParsedCell:
    """A timestamp at UTC, without a zone: see `times`. Numbers stay unread here: see `forms`."""
    kind = column.type()
    if _is_number(column):
        return ParsedCell(ibis.null(times.TIMESTAMP), _text(column).nullif("nan"))
    if not (kind.is_date() or kind.is_timestamp() or kind.is_string()):
        raise _wrong(column, name, "a time", "write it as 2024-01-31 or 2024-01-31T12:30:00")
    value = times.at_utc(column)
    return ParsedCell(value, _unread(_text(column), value))


def _is_number(column: ir.Value) -> bool:
    return bool(column.type().is_numeric() and not column.type().is_boolean())


READERS: Mapping[inputs.Kind, Callable[[ir.Value, str], ParsedCell]] = {
    "id": identifier,
    "time": time,
    "money": money,
    "number": bounded_number,
    "label": label,
}


def _left_unread(kind: inputs.Kind, nothing: str) -> Callable[[ir.Value, str], ParsedCell]:
    """A reader that leaves every text for `forms` to read."""

    def read(column: ir.Value, name: str) -> ParsedCell:
        if column.type().is_string():
            return ParsedCell(ibis.null(nothing), unblank(column))
        return READERS[kind](column, name)

    return read


UNREAD_TEXTS: Mapping[inputs.Kind, Callable[[ir.Value, str], ParsedCell]] = {
    "time": _left_unread("time", times.TIMESTAMP),
    "money": _left_unread("money", MONEY),
    "number": _left_unread("number", "float64"),
}


def has_three_places(column: ir.Value) -> ir.BooleanValue:
    """Whether a number in text has three digits behind its dot: 1.234, which elsewhere is a thousand and more."""
    # LIKE takes a third of the time that trimming and cutting takes. The second pattern is 12.50 and a blank.
    return (column.like("%.___") & ~column.like("%.__ ")) | column.like("%.___ %")


def unblank(column: ir.Value) -> ir.Value:
    """The text unchanged; null where it is empty or has only spaces.

    Blanks sort before "!", so only texts that start with a blank are trimmed.
    """
    return ibis.cases((column >= "!", column), (column.strip() == "", ibis.null("string")), else_=column)


def _text(column: ir.Value) -> ir.Value:
    return unblank(_written(column))


def _written(column: ir.Value) -> ir.Value:
    """The cell as text; floats alike on every engine (nan, 1000.0), where Java would write NaN and 1.0E3."""
    if not column.type().is_floating():
        return column.cast("string")
    number = column.cast("float64")
    whole = number.try_cast("int64")
    return ibis.cases(
        (number.isnan(), "nan"),
        (number == float("inf"), "inf"),
        (number == -float("inf"), "-inf"),
        ((number.abs() < LARGEST_EXACT_FLOAT) & (whole.cast("float64") == number), whole.cast("string") + ".0"),
        else_=column.cast("string"),
    )


def _unread(text: ir.Value, value: ir.Value) -> ir.Value:
    return ibis.ifelse(value.isnull(), text, ibis.null("string"))


def _nothing() -> ir.Value:
    return ibis.null("string")


def _wrong(column: ir.Value, name: str, what: str, hint: str) -> errors.WrongType:
    return errors.WrongType(
        f"{column.get_name()!r} cannot be {what}: its type is {column.type()}",
        first=f"{name}={column.get_name()}",
        hint=hint,
    )
