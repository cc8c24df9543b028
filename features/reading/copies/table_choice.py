"""Which table of a database file is meant: the named one, or the only one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Sequence

from tiercast.contract import errors
from tiercast.features.reading.copies.named_tables import NamedTable

Choose = Callable[[Sequence[str]], Collection[str]]
SHOWN = 8


def pick(named: NamedTable, tables: Sequence[str]) -> str:
    """The table to read. Raises `SourceUnreadable` with the tables that are there."""
    if not tables:
        raise errors.SourceUnreadable("the database has no table", first=named.place, hint="pass another file")
    if named.table is not None and named.table in tables:
        return named.table
    if named.table is None and len(tables) == 1:
        return tables[0]
    what = (
        f"the database has {len(tables)} tables, and none is named"
        if named.table is None
        else f"the database has no table {named.table!r}"
    )
    nearest = difflib.get_close_matches(named.table or "orders", tables, n=1, cutoff=0.3) or tables
    listed = ", ".join(tables[:SHOWN])
    raise errors.SourceUnreadable(
        what, first=f"{named.place}; its tables: {listed}", hint=f"name the table: '{named.place}#{nearest[0]}'"
    )
