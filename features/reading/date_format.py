"""A date format of the user's, such as %d/%m/%Y %H:%M, as a pattern; engines differ in their own formats."""

from __future__ import annotations

import calendar
import re
from typing import NamedTuple

import ibis
from ibis.expr import types as ir

from tiercast.contract import errors
from tiercast.features.reading import dates

DIRECTIVES = {
    "%Y": ("year", "([0-9]{4})"),
    "%y": ("short_year", "([0-9]{2})"),
    "%m": ("month", "([0-9]{1,2})"),
    "%b": ("name", "([A-Za-z]{3,9})"),
    "%B": ("name", "([A-Za-z]{3,9})"),
    "%d": ("day", "([0-9]{1,2})"),
    "%H": ("hour", "([0-9]{1,2})"),
    "%I": ("hour", "([0-9]{1,2})"),
    "%M": ("minute", "([0-9]{2})"),
    "%S": ("second", r"([0-9]{2})"),
    "%f": ("fraction", "([0-9]{1,9})"),
    "%p": ("half", "([AaPp][Mm])"),
    "%z": ("offset", "(Z|[+-][0-9]{2}:?[0-9]{2})"),
    "%Z": ("offset", "(Z|UTC|GMT)"),
}
SHORT = {"%T": "%H:%M:%S", "%R": "%H:%M", "%F": "%Y-%m-%d", "%D": "%m/%d/%y", "%e": "%d"}
MONTHS = tuple(name.lower() for name in calendar.month_name[1:])
PIVOT = 69  # %y: 69 to 99 are of the last century, as in POSIX
EXAMPLE = "write it as in strptime: --date-format %d/%m/%Y, or '%d.%m.%Y %H:%M'; or one of: iso, epoch, excel"


class DateFormat(NamedTuple):
    """`pattern` finds the parts, each in the group that `groups` says."""

    pattern: str
    groups: dict[str, int]

    def part(self, text: ir.Value, name: str) -> ir.Value:
        return text.re_extract(self.pattern, self.groups[name]) if name in self.groups else ibis.literal("")


def parse(written: str) -> DateFormat:
    """The format as a pattern. Raises `BadInput` where a day, month or year is missing, or a directive is not known."""
    for short, long in SHORT.items():
        written = written.replace(short, long)
    pieces = [piece for piece in re.split(r"(%.?)", written) if piece]
    unknown = [piece for piece in pieces if piece.startswith("%") and piece not in DIRECTIVES]
    if unknown:
        raise errors.BadInput(f"--date-format has an unknown part {unknown[0]}", first=written, hint=EXAMPLE)
    names = [DIRECTIVES[piece][0] for piece in pieces if piece in DIRECTIVES]
    _refuse_incomplete(names, written)
    pattern = "".join(DIRECTIVES[piece][1] if piece in DIRECTIVES else re.escape(piece) for piece in pieces)
    return DateFormat(f"^ *{pattern} *$", {name: place for place, name in enumerate(names, start=1)})


def _refuse_incomplete(names: list[str], written: str) -> None:
    one_of = (("day",), ("month", "name"), ("year", "short_year"))
    has_all = all(sum(name in names for name in group) == 1 for group in one_of)
    if not has_all or len(set(names)) < len(names) or ("half" in names and "hour" not in names):
        raise errors.BadInput("--date-format needs one day, one month and one year", first=written, hint=EXAMPLE)


def as_iso(text: ir.Value, form: DateFormat) -> ir.Value:
    """ISO 8601 text; null where the text has another form."""
    second, fraction = form.part(text, "second"), form.part(text, "fraction")
    seconds = (
        second + ibis.ifelse(fraction == "", "", ibis.literal(".") + fraction) if "fraction" in form.groups else second
    )
    hour, minute = form.part(text, "hour"), form.part(text, "minute")
    read = dates.iso(
        dates.DateParts(
            year=_year(text, form),
            month=_month(text, form),
            day=form.part(text, "day"),
            hour=hour,
            minute=ibis.ifelse((hour != "") & (minute == ""), "00", minute),
            second=seconds,
            half=form.part(text, "half"),
            offset=form.part(text, "offset"),
        )
    )
    return ibis.ifelse(text.re_search(form.pattern), read, ibis.null("string"))


def _year(text: ir.Value, form: DateFormat) -> ir.Value:
    if "year" in form.groups:
        return form.part(text, "year")
    short = form.part(text, "short_year")
    return ibis.ifelse(short.nullif("").try_cast("int64") >= PIVOT, "19", "20") + short


def _month(text: ir.Value, form: DateFormat) -> ir.Value:
    """A name that is none gives 99, which no date has."""
    if "month" in form.groups:
        return form.part(text, "month")
    name = form.part(text, "name").lower()
    found = [(name.isin([month, month[:3]]), f"{n:02}") for n, month in enumerate(MONTHS, start=1)]
    return ibis.cases(*found, else_="99")


def propose(example: str, *, is_day_first: bool) -> str:
    """The format of an example with day, month and year in two or four digits, by its signs and its clock.

    >>> propose("31/12/2023 8:05", is_day_first=True)
    '%d/%m/%Y %H:%M'
    """
    sign = re.search(r"[/.\-]", example)
    separator = sign[0] if sign else "/"
    day, *rest = example.split(maxsplit=1)
    year = "%Y" if re.search(r"[0-9]{4}$", day) else "%y"
    date = separator.join([*(("%d", "%m") if is_day_first else ("%m", "%d")), year])
    return " ".join([date, *(_clock(clock) for clock in rest)])


def _clock(clock: str) -> str:
    is_half = clock[-1:].lower() == "m"
    parts = ["%I" if is_half else "%H", "%M", "%S"][: clock.count(":") + 1]
    return ":".join(parts) + (".%f" if "." in clock else "") + (" %p" if is_half else "")
