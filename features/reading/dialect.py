"""How the text of the input tables is written: what a file cannot say of itself, and its reader must.

Every field is empty unless it was given; the file then decides where only one reading is possible, and is refused where
several are. A field that is given always wins, and has a word for what is usual: encoding utf-8, header first.
"""

from __future__ import annotations

import codecs
import shlex
import zoneinfo
from collections.abc import Mapping
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.features.reading import date_format

HEADERS = ("first", "none")
DATE_WORDS = ("iso", "epoch", "excel")
OTHER_SIGN = {".": ",", ",": "."}


class Dialect(NamedTuple):
    """Options of reading, all texts; "" means that nobody gave it.

    `encoding` and `delimiter` are of text files. `header` is "none" where the first line is a row of data; the columns
    are then called column_1, column_2 and so on. `date_format` is one of strptime's, iso, epoch or excel, for
    times that are text or numbers. `decimal` stands before decimals, `thousands` between groups.
    `timezone` is the zone whose days count: times with a zone are moved to its clock, others are taken to be of it.
    """

    encoding: str = ""
    delimiter: str = ""
    header: str = ""
    date_format: str = ""
    decimal: str = ""
    thousands: str = ""
    timezone: str = ""

    def given(self) -> dict[str, str]:
        """The fields that were given.

        >>> Dialect(delimiter=";").given()
        {'delimiter': ';'}
        """
        return {name: value for name, value in self._asdict().items() if value}

    def lines(self) -> list[str]:
        """The given fields as options of the command line."""
        return [f"--{name.replace('_', '-')} {shlex.quote(value)}" for name, value in self.given().items()]


AS_WRITTEN = Dialect()


def parse(given: Mapping[str, str]) -> Dialect:
    """The dialect, its values in one spelling each. Raises `BadInput` for a value that is not known."""
    chosen = {name: value for name, value in given.items() if value}
    parsed = Dialect(**{name: PARSERS[name](value) for name, value in chosen.items()})
    if parsed.decimal and parsed.decimal == parsed.thousands:
        hint = "pass --decimal , for amounts like 1.234,50, or --thousands , for amounts like 1,234.50"
        raise errors.BadInput("one sign cannot mark decimals and thousands", first=parsed.decimal, hint=hint)
    if parsed.thousands in OTHER_SIGN and not parsed.decimal:
        return parsed._replace(decimal=OTHER_SIGN[parsed.thousands])
    return parsed


def merge(first: Dialect, *others: Dialect) -> Dialect:
    """Per field what the first of them gives.

    >>> merge(Dialect(delimiter=";"), Dialect(delimiter="|", header="none"))
    Dialect(encoding='', delimiter=';', header='none', date_format='', decimal='', thousands='', timezone='')
    """
    merged = first
    for other in others:
        merged = Dialect(*(mine or theirs for mine, theirs in zip(merged, other, strict=True)))
    return merged if merged.decimal != merged.thousands else merged._replace(thousands="")


def _encoding(value: str) -> str:
    """Python's name of it. Codecs that are no text (base64, zip) are no encodings.

    >>> _encoding("GB18030"), _encoding("latin1")
    ('gb18030', 'iso8859-1')
    """
    try:
        name = codecs.lookup(value).name
        "a".encode(name).decode(name)
    except (LookupError, ValueError) as error:
        hint = "name it as Python does, such as utf-8, gb18030, cp1252, latin-1, shift_jis or utf-16"
        raise errors.BadInput("--encoding is not known", first=value, hint=hint) from error
    return name


def _delimiter(value: str) -> str:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(value, value)
    if len(delimiter) != 1 or delimiter in '"\r\n' or delimiter.isalnum():
        hint = "one sign, such as --delimiter ';' or --delimiter '|', or the word tab"
        raise errors.BadInput("--delimiter is not one sign that can stand between cells", first=value, hint=hint)
    return delimiter


def _header(value: str) -> str:
    if value not in HEADERS:
        hint = "first (the first line has the columns' names) or none (it is a row of data)"
        raise errors.BadInput("--header is not known", first=value, hint=hint)
    return value


def _date_format(value: str) -> str:
    if value in DATE_WORDS:
        return value
    date_format.parse(value)
    return value


def _decimal(value: str) -> str:
    if value not in OTHER_SIGN:
        raise errors.BadInput("--decimal is not known", first=value, hint="pass --decimal . or --decimal ,")
    return value


def _thousands(value: str) -> str:
    """A blank and an apostrophe are read between groups of three digits without being given."""
    if value not in (*OTHER_SIGN, " ", "'"):
        raise errors.BadInput("--thousands is not known", first=value, hint="pass --thousands . or --thousands ,")
    return value if value in OTHER_SIGN else ""


def _timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (OSError, ValueError, KeyError) as error:
        hint = "name it as the IANA database does: --timezone Asia/Shanghai, or UTC"
        raise errors.BadInput("--timezone is not known", first=value, hint=hint) from error
    return value


PARSERS = {
    "encoding": _encoding,
    "delimiter": _delimiter,
    "header": _header,
    "date_format": _date_format,
    "decimal": _decimal,
    "thousands": _thousands,
    "timezone": _timezone,
}
