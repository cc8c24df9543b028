"""A source may name a table inside a file: `orders.xlsx#Sheet1`, `shop.db#orders`, `sqlite:///shop.db#orders`.

>>> parse("shop.db"), parse("sqlite:////data/shop.db#orders")
(NamedTable(place='shop.db', table=None), NamedTable(place='/data/shop.db', table='orders'))
"""

from __future__ import annotations

import pathlib
import urllib.parse
from typing import NamedTuple

FILE_SCHEMES = ("sqlite:///", "duckdb:///")


class NamedTable(NamedTuple):
    """A place of files, and the table, sheet or member that is meant in it; None where none is named."""

    place: str
    table: str | None

    def __str__(self) -> str:
        return self.place if self.table is None else f"{self.place}#{self.table}"


def parse(source: str) -> NamedTable:
    """The place and the table of a source. A file whose own name has a # is a place as it stands.

    In an address of a file, the table can also be given as in other addresses: `sqlite:///shop.db?table=orders`.
    """
    scheme = next((scheme for scheme in FILE_SCHEMES if source.startswith(scheme)), None)
    if scheme is not None:
        return _from_address(source.removeprefix(scheme))
    if "://" in source:
        place, _, table = source.partition("#")
        return NamedTable(place, table or None)
    return _from_path(source)


def _from_address(rest: str) -> NamedTable:
    place, _, table = rest.partition("#")
    place, _, query = place.partition("?")
    given = urllib.parse.parse_qs(query).get("table", [None])[0]
    return NamedTable(place, table or given)


def _from_path(source: str) -> NamedTable:
    """The longest beginning of the text, up to a #, that is a file; the whole text where none is."""
    if "#" not in source or is_file(source):
        return NamedTable(source, None)
    ends = [position for position, sign in enumerate(source) if sign == "#"]
    end = next((end for end in reversed(ends) if is_file(source[:end])), None)
    return NamedTable(source, None) if end is None else NamedTable(source[:end], source[end + 1 :] or None)


def is_file(place: str) -> bool:
    """Whether there is a file; a name that cannot be looked up is none."""
    try:
        return pathlib.Path(place).is_file()
    except (OSError, ValueError):
        return False
