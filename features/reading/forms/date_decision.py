"""Decide from all cells of a time column how numbers are read, and propose a format for days and months in doubt."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import ibis
from ibis.expr import types as ir

from tiercast.contract import errors
from tiercast.features.reading import date_format, dates
from tiercast.features.reading.dialect import Dialect

PAIR = r"^ *([0-9]{1,2})(?:/[0-9]{1,2}/|\.[0-9]{1,2}\.|-[0-9]{1,2}-)(?:[0-9]{4}|[0-9]{2})(?:[ ,T].*)?$"
SECOND = r"^ *[0-9]{1,2}[-/.]([0-9]{1,2})[-/.]"
NAMED = r"^ *(?:[0-9]{1,2}[- .]*[A-Za-z]{3,9}|[A-Za-z]{3,9} *[0-9]{1,2},?)[- ,]+[0-9]{4}"
NAMED_LIKE_A_TIME = re.compile(
    r"time|date|stamp|epoch|unix|created|ordered|purchased|paid|occurred|joined|placed|datum|fecha|日期|时间|日時"
    r"|(?:^|_)(?:at|on|ts|day|when)$|[a-z](?:At|On)$",
    re.IGNORECASE,
)
UNREADABLE_SHARE = 0.2


class NumberForm(NamedTuple):
    """Whether eight digits are a date, and the unit in which other numbers count since 1970; "" for none."""

    has_eight_digits: bool
    unit: str


def measures(value: ir.Value, text: ir.Value, known: ir.BooleanValue) -> dict[str, ir.Value]:
    """Counts of forms among the cells: `value` where ISO 8601 was read, else `text`. Only `known` rows count."""
    has_pair = text.re_search(PAIR)
    first = text.re_extract(PAIR, 1).nullif("").try_cast("int64")
    second = text.re_extract(SECOND, 1).nullif("").try_cast("int64")
    shows = {
        "cells": value.notnull() & known | text.notnull(),
        "unread": text.notnull(),
        "year_first": dates.year_first(text).notnull(),
        "whole": dates.whole(text).notnull(),
        "eight": dates.eight_digits(text).notnull(),
        "pairs": has_pair,
        "day_first": has_pair & (first > 12),
        "month_first": has_pair & (second > 12),
        "excel": dates.is_like_excel(text),
        "named": text.re_search(NAMED),
        **{unit: dates.is_since_1970(text, unit) for unit in dates.UNITS},
    }
    counts: dict[str, ir.Value] = {name: is_so.sum().coalesce(0) for name, is_so in shows.items()}
    quoted = ("unread", "pairs", "day_first", "month_first", "excel", "named", "whole")
    return counts | {f"first_{name}": ibis.ifelse(shows[name], text, ibis.null("string")).min() for name in quoted}


def numbers(found: dict[str, Any], dialect: Dialect, given: str, place: str) -> NumberForm:
    """How the numbers of a column are read. Raises `WrongType` for a form that only the user can name.

    `given` is the column's name in the file: numbers are a time since 1970 only where it names a time.
    """
    has_eight = 0 < found["eight"] == found["whole"]
    unit = next((unit for unit in dates.UNITS if 0 < found[unit] == found["cells"]), "")
    if unit and dialect.date_format != "epoch" and not NAMED_LIKE_A_TIME.search(given):
        what = f"{place} has whole numbers that may be {unit} since 1970, but {given!r} names no time"
        raise _refuse(
            place.partition(" ")[0],
            what,
            found[unit],
            found,
            found["first_whole"],
            "if they are, pass --date-format epoch",
        )
    n_read = found["year_first"] + (found["eight"] if has_eight else 0) + (found[unit] if unit else 0)
    if not dialect.date_format and found["unread"] - n_read > UNREADABLE_SHARE * found["cells"]:
        _propose(found, place)
    return NumberForm(has_eight, unit)


def _propose(found: dict[str, Any], place: str) -> None:
    """Raise `WrongType` for a form that has an option of its own."""
    most = max(("pairs", "named", "excel"), key=lambda name: int(found[name]))
    if not found[most]:
        return
    if most == "pairs":
        raise _of_pairs(found, place)
    first = found[f"first_{most}"]
    if most == "excel":
        what, hint = f"{place} has numbers like the days that Excel counts", "if they are, pass --date-format excel"
    else:
        what, hint = f"{place} has months as names", f"pass --date-format '{_named(first)}'"
    raise _refuse(place.partition(" ")[0], what, found[most], found, first, hint)


def _of_pairs(found: dict[str, Any], place: str) -> errors.WrongType:
    """Days and months in numbers before the year: which comes first is in the numbers over 12, or in no cell."""
    n, n_day, n_month = found["pairs"], found["day_first"], found["month_first"]
    if n_day and n_month:
        what = f"{place} mixes days before months and months before days: {n_day:,} cells have a first number over 12"
        hint = "write the dates of all rows alike, as 2024-01-31"
        return _refuse(
            place.partition(" ")[0], f"{what}, {n_month:,} a second one", n, found, found["first_month_first"], hint
        )
    day_first, month_first = (_option(found["first_pairs"], is_day_first=is_first) for is_first in (True, False))
    if not n_day and not n_month:
        what = f"no cell of {place} shows whether the day or the month comes first"
        return _refuse(
            place.partition(" ")[0], what, n, found, found["first_pairs"], f"pass {day_first} or {month_first}"
        )
    shown, which, option = (n_day, "first", day_first) if n_day else (n_month, "second", month_first)
    what = f"{place} has a day and a month before the year; {shown:,} of {n:,} cells have a {which} number over 12"
    first = found["first_day_first" if n_day else "first_month_first"]
    return _refuse(place.partition(" ")[0], what, n, found, first, f"probably {option}")


def _option(example: str, *, is_day_first: bool) -> str:
    written = date_format.propose(example.strip(), is_day_first=is_day_first)
    return f"--date-format '{written}'" if " " in written else f"--date-format {written}"


def _named(example: str) -> str:
    """The format of an example with the month's name."""
    written = re.sub(r"[A-Za-z]{3,9}", "%b", example.strip(), count=1)
    written = re.sub(r"(?<![0-9%])[0-9]{4}(?![0-9])", "%Y", written, count=1)
    written = re.sub(r"(?<![0-9:%])[0-9]{1,2}(?![0-9:])", "%d", written, count=1)
    return re.sub(r"[0-9]{1,2}(:[0-9]{2})(:[0-9]{2})?", lambda found: "%H:%M" + (":%S" if found[2] else ""), written)


def _refuse(name: str, what: str, n: int, found: dict[str, Any], first: str | None, hint: str) -> errors.WrongType:
    return errors.WrongType(what, count=n, total=found["cells"], unit="cells", first=f"{name}={first}", hint=hint)
