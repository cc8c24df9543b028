"""The next rows of a sorted, filtered listing, quickly whatever is asked.

Two plans are good, each where the other is bad. Walking along the sort's index finds a page at once if every so many
rows pass the filters, and may walk past a million if few do. Reading everything and keeping the best takes half a
second for a million rows, always. No database knows which filters go together ("slipping" customers are never among
the least risky), so we walk a bounded way first, and read everything only where that did not fill the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from sqlalchemy.sql import operators

from tiercast.serving.store import filters as chosen
from tiercast.serving.store import records, tables
from tiercast.serving.store.cursor import Cursor
from tiercast.serving.store.filters import Filters
from tiercast.serving.store.generations import Generation

WALK = 10_000
By = Literal["customer_id", "value", "p_churn", "value_at_risk"]
SORTS: tuple[By, ...] = ("customer_id", "value", "p_churn", "value_at_risk")
Rows = Sequence[Row[*tuple[Any, ...]]]


class Sort(NamedTuple):
    """Ties go by id. Who has no such number (a prospect) comes last either way."""

    by: By = "customer_id"
    is_descending: bool = False


class Stretch(NamedTuple):
    """A part of the listing that one index holds in order: by these columns, after these values.

    Where a number sorts, it holds those who have it (`is_known`), or those who have not.
    """

    order: tuple[str, ...]
    seen: tuple[Any, ...] | None
    number: str | None = None
    is_known: bool = True

    def holds(self, columns: Mapping[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[bool]:
        if self.number is None:
            return sa.true()
        number = columns[self.number]
        return number.is_not(None) if self.is_known else number.is_(None)


def rows(
    connection: Connection, generation: Generation, filters: Filters, sort: Sort, last: Cursor | None, most: int
) -> list[Row[*tuple[Any, ...]]]:
    """At most `most` rows after the cursor."""
    table = tables.scores_of(generation.id)
    found: list[Row[*tuple[Any, ...]]] = []
    for stretch in _stretches(sort, last):
        missing = most - len(found)
        walked = _walked(connection, table, generation, filters, sort, stretch, missing)
        found += (
            walked if len(walked) == missing else _read(connection, table, generation, filters, sort, stretch, missing)
        )
        if len(found) == most:
            break
    return found


def _stretches(sort: Sort, last: Cursor | None) -> Iterator[Stretch]:
    """Those with the number by number and id; then those without it, by id."""
    end = None if last is None else (last.customer_id,)
    if sort.by == "customer_id":
        yield Stretch(("customer_id",), end)
        return
    if last is None or last.number is not None:
        seen = None if last is None else (last.number, last.customer_id)
        yield Stretch((sort.by, "customer_id"), seen, sort.by)
        end = None
    yield Stretch(("customer_id",), end, sort.by, is_known=False)


def _walked(
    connection: Connection, table: sa.Table, generation: Generation, filters: Filters, sort: Sort, part: Stretch, n: int
) -> Rows:
    """Those who pass among the next `WALK` along the index; along that of one tier where only one is asked for."""
    way = records.all_columns(table).where(part.holds(dict(table.c.items())))
    if len(filters.tiers) == 1 and part.order[0] == "value_at_risk":
        way = way.where(table.c.tier == filters.tiers[0])
    walk = WALK if filters != chosen.NONE else n
    near = _ordered(way, table.c, part, sort).limit(walk).subquery("near")
    asked = chosen.applied(connection, sa.select(*near.c), near, generation, filters)
    return connection.execute(_order(asked, near.c, part, sort).limit(n)).all()


def _read(
    connection: Connection, table: sa.Table, generation: Generation, filters: Filters, sort: Sort, part: Stretch, n: int
) -> Rows:
    """Those who pass among all. No index belongs to `+ column`, so none leads astray.

    PostgreSQL, which knows how many rows a tier or a reason has, keeps its indexes on texts; SQLite only that of moves.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    plain = {name: _off(c) if is_sqlite or isinstance(c.type, sa.Double) else c for name, c in table.c.items()}
    free = plain if is_sqlite else None
    asked = records.all_columns(table).where(part.holds(plain))
    asked = chosen.applied(connection, asked, table, generation, filters, free)
    order = plain if len(part.order) > 1 else table.c
    return connection.execute(_ordered(asked, order, part, sort).limit(n)).all()


def _ordered(asked: sa.Select[Any], columns: Any, part: Stretch, sort: Sort) -> sa.Select[Any]:
    if part.seen is not None:
        place = sa.tuple_(*(columns[name] for name in part.order))
        end = sa.tuple_(*map(sa.literal, part.seen))
        asked = asked.where(place < end if sort.is_descending else place > end)
    return _order(asked, columns, part, sort)


def _order(asked: sa.Select[Any], columns: Any, part: Stretch, sort: Sort) -> sa.Select[Any]:
    order = [columns[name] for name in part.order]
    return asked.order_by(*(column.desc() if sort.is_descending else column.asc() for column in order))


def _off(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return sa.UnaryExpression(column, operator=operators.custom_op("+"), type_=column.type)
