"""Dates as people and programs write them, turned into ISO 8601 text or a time.

Year first is unambiguous, whatever the sign and with one digit or two: 2023/1/5 8:23, 2023.01.05, 2023年1月5日. So are
eight digits (20230105). Numbers count seconds, or parts of them, since 1970, or days as Excel does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import ibis
from ibis.expr import types as ir

from tiercast.features.reading import times

CLOCK = (
    r"(?:([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9](?:\.[0-9]{1,9})?))?"
    r" *([AaPp][Mm])? *(Z|z|UTC|utc|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
SEPARATED = r"[0-9]{4}(?:-[0-9]{1,2}-|/[0-9]{1,2}/|\.[0-9]{1,2}\.|年 ?[0-9]{1,2}月 ?)[0-9]{1,2}日?"
YEAR_FIRST = rf"^ *{SEPARATED}(?:[T ] *{CLOCK})? *$"
PARTS = rf"^ *([0-9]{{4}})[-/.年] ?([0-9]{{1,2}})[-/.月] ?([0-9]{{1,2}})日?[T ]* *{CLOCK} *$"
EIGHT = r"^ *([0-9]{4})([0-9]{2})([0-9]{2})(?:\.0+)? *$"
WHOLE = r"^ *([0-9]{1,19})(?:\.0+)? *$"
NUMBER = r"^ *([0-9]{1,7}(?:\.[0-9]+)?) *$"
EPOCH = "1970-01-01 00:00:00"
# From 1990 to 2100, as a number of these parts since 1970. No two ranges overlap.
FIRST_SECOND, LAST_SECOND = 631_152_000, 4_102_444_800
UNITS: Mapping[str, int] = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
EXCEL_EPOCH, LAST_SERIAL = 25_569, 2_958_465  # 1970-01-01 and 9999-12-31
SERIALS = (20_000, 80_000)  # from 1954 to 2119: what a column of Excel's days looks like
MILLISECONDS_PER_DAY = 86_400_000


class DateParts(NamedTuple):
    """The parts of a date and its clock, as texts of digits; "" where one is missing. `half` is AM or PM."""

    year: ir.Value
    month: ir.Value
    day: ir.Value
    hour: ir.Value
    minute: ir.Value
    second: ir.Value
    half: ir.Value
    offset: ir.Value


def year_first(text: ir.Value) -> ir.Value:
    """ISO 8601 text; null for any other form."""
    parts = [text.re_extract(PARTS, group) for group in range(1, 9)]
    return ibis.ifelse(text.re_search(YEAR_FIRST), iso(DateParts(*parts)), ibis.null("string"))


def eight_digits(text: ir.Value) -> ir.Value:
    """ISO 8601 text of 20230105, from 1900 to 2099; null for any other form."""
    year, month, day = (text.re_extract(EIGHT, group) for group in (1, 2, 3))
    is_one = text.re_search(EIGHT) & year.re_search("^(19|20)")
    return ibis.ifelse(is_one, ibis.literal("-").join([year, month, day]), ibis.null("string"))


def iso(parts: DateParts) -> ir.Value:
    """The parts of a date as ISO 8601 text; without an hour only the day. Hours of AM and PM become those of a day."""
    year, month, day, hour, minute, second, half, offset = parts
    date = ibis.literal("-").join([year, month.lpad(2, "0"), day.lpad(2, "0")])
    seconds = ibis.ifelse(second == "", "00", second.lpad(2, "0"))
    zone = ibis.ifelse(offset.upper().isin(["UTC", "GMT"]), "Z", offset.upper())
    clock = ibis.literal(":").join([_hour(hour, half), minute.lpad(2, "0"), seconds])
    return ibis.ifelse(hour == "", date, date + "T" + clock + zone)


def _hour(hour: ir.Value, half: ir.Value) -> ir.Value:
    """An hour out of range gives 99, which no time has."""
    number = hour.nullif("").try_cast("int64")
    moved = number % 12 + ibis.ifelse(half.upper() == "PM", 12, 0)
    of_day = ibis.ifelse((number >= 1) & (number <= 12), moved, 99)
    return ibis.ifelse(half == "", hour, of_day.cast("string")).lpad(2, "0")


def whole(text: ir.Value) -> ir.Value:
    """The whole number that the text is; null for any other text."""
    return ibis.ifelse(text.re_search(WHOLE), text.re_extract(WHOLE, 1), ibis.null("string")).try_cast("int64")


def is_since_1970(text: ir.Value, unit: str) -> ir.BooleanValue:
    """Whether the number is a time from 1990 to 2100 in this unit."""
    number = whole(text)
    return ((number >= FIRST_SECOND * UNITS[unit]) & (number < LAST_SECOND * UNITS[unit])).fill_null(False)


def since_1970(text: ir.Value, unit: str) -> ir.Value:
    """The time in UTC; null out of range."""
    number, per_second = whole(text), UNITS[unit]
    micros = number * (10**6 // per_second) if per_second <= 10**6 else (number // (per_second // 10**6)).cast("int64")
    return ibis.ifelse(is_since_1970(text, unit), _after_1970(micros), ibis.null(times.TIMESTAMP))


def excel(text: ir.Value) -> ir.Value:
    """The time of a day's number in Excel (45292 is 2024-01-01; the fraction is the clock), to the millisecond.

    Numbers below 61 are null: Excel counts a 29 February 1900 that never was.
    """
    number = ibis.ifelse(text.re_search(NUMBER), text, ibis.null("string")).try_cast("float64")
    millis = ((number - EXCEL_EPOCH) * MILLISECONDS_PER_DAY).round().cast("int64")
    is_one = (number >= 61) & (number < LAST_SERIAL + 1)
    return ibis.ifelse(is_one, _after_1970(millis * 1000), ibis.null(times.TIMESTAMP))


def is_like_excel(text: ir.Value) -> ir.BooleanValue:
    """Whether the text is a number that Excel's days of our time have."""
    number = ibis.ifelse(text.re_search(NUMBER), text, ibis.null("string")).try_cast("float64")
    return ((number >= SERIALS[0]) & (number <= SERIALS[1])).fill_null(False)


def _after_1970(micros: ir.Value) -> ir.Value:
    return ibis.literal(EPOCH).cast(times.TIMESTAMP) + micros.as_interval("us")
