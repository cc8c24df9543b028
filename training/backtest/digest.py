"""The identity of the rows that a date used: one digest per day of history, computed in one pass for all dates.

Rows are hashed as text with MD5, column by column, and the hashes added: the order of rows does not matter, a changed
cell does. Nothing here guards against malice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import NamedTuple

import ibis
from ibis.expr import types as ir

from tiercast.features import buckets
from tiercast.features.engines import Engine
from tiercast.features.tables import Tables

BEGINNING = dt.date.min
"""The day of rows without one: a table of customers is as it is today."""


class OfDay(NamedTuple):
    """How many rows, and the sums of two hashes over them."""

    day: dt.date
    n: int
    one: int
    two: int


class Rows(NamedTuple):
    """One entry per table and day."""

    days: dict[str, list[OfDay]]

    def until(self, day: dt.date) -> str:
        """The digest of every row before `day`: 16 hex digits."""
        before = {name: [row for row in found if row.day < day] for name, found in sorted(self.days.items())}
        sums = {
            name: [sum(row.n for row in found), sum(row.one for row in found), sum(row.two for row in found)]
            for name, found in before.items()
        }
        return hashlib.sha256(repr(sums).encode()).hexdigest()[:16]


def rows(engine: Engine, tables: Tables) -> Rows:
    """One pass over each table that is given."""
    dated = {"transactions": tables.transactions.ordered_on, "customers": None}
    if tables.interactions is not None:
        dated["interactions"] = tables.interactions.occurred_at.date()
    given = {name: getattr(tables, name) for name in dated}
    return Rows({name: _of(engine, table, dated[name]) for name, table in given.items() if table is not None})


def _of(engine: Engine, table: ir.Table, day: ir.Value | None) -> list[OfDay]:
    text = ibis.literal("|").join([table[name].cast("string").fill_null("\x00") for name in sorted(table.columns)])
    hashed = table.select(
        day=day if day is not None else ibis.literal(BEGINNING),
        one=buckets.assign(text, buckets.LARGEST),
        two=buckets.assign(text + "#", buckets.LARGEST),
    )
    sums = hashed.group_by("day").aggregate(n=hashed.count(), one=hashed.one.sum(), two=hashed.two.sum())
    found = engine.con.to_pyarrow(sums).to_pylist()
    return [OfDay(row["day"], int(row["n"]), int(row["one"]), int(row["two"])) for row in found]
