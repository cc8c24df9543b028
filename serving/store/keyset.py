"""Keyset pagination: the next rows of a sorted, filtered list, quickly whatever the filters.

Two plans exist, and each is bad where the other is good. A scan along the sort's index finds a page at once if many
rows match, and may read a million rows if few do. Sorting all matches takes half a second for a million rows, always.
No database knows how filters correlate ("slipping" customers are never among the least risky). So a bounded part of
the index is scanned first, and everything is read only where that did not fill the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from sqlalchemy.sql import operators

from tiercast.serving.store import filters as row_filters
from tiercast.serving.store import records
from tiercast.serving.store.cursor import Cursor
from tiercast.serving.store.filters import Filters
from tiercast.serving.store.generations import Generation

SCANNED = 10_000
SortKey = Literal["customer_id", "value", "p_churn", "value_at_risk"]
SORTS: tuple[SortKey, ...] = ("customer_id", "value", "p_churn", "value_at_risk")
Rows = Sequence[Row[*tuple[Any, ...]]]


class Sort(NamedTuple):
    """Ties are ordered by id. Customers without the number (prospects) come last in both directions."""

    by: SortKey = "customer_id"
    is_descending: bool = False


class IndexRange(NamedTuple):
    """A part of the list that one index has in order: by the columns `order`, after the values `seen`.

    With a `number` to sort by, the part has the customers with it (`has_number`), or those without.
    """

    order: tuple[str, ...]
    seen: tuple[Any, ...] | None
    number: str | None = None
    has_number: bool = True

    def condition(self, columns: Mapping[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[bool]:
        if self.number is None:
            return sa.true()
        number = columns[self.number]
        return number.is_not(None) if self.has_number else number.is_(None)


def rows(
    connection: Connection, generation: Generation, filters: Filters, sort: Sort, last: Cursor | None, limit: int
) -> list[Row[*tuple[Any, ...]]]:
    """At most `limit` rows after the cursor."""
    found: list[Row[*tuple[Any, ...]]] = []
    for part in _ranges(sort, last):
        missing = limit - len(found)
        near = _scan_index(connection, generation, filters, sort, part, missing)
        found += near if len(near) == missing else _sort_all(connection, generation, filters, sort, part, missing)
        if len(found) == limit:
            break
    return found


def _ranges(sort: Sort, last: Cursor | None) -> Iterator[IndexRange]:
    """Customers with the number by number and id; then those without it, by id."""
    seen_id = None if last is None else (last.customer_id,)
    if sort.by == "customer_id":
        yield IndexRange(("customer_id",), seen_id)
        return
    if last is None or last.number is not None:
        seen = None if last is None else (last.number, last.customer_id)
        yield IndexRange((sort.by, "customer_id"), seen, sort.by)
        seen_id = None
    yield IndexRange(("customer_id",), seen_id, sort.by, has_number=False)


def _scan_index(
    connection: Connection, generation: Generation, filters: Filters, sort: Sort, part: IndexRange, limit: int
) -> Rows:
    """The matches among the next `SCANNED` rows of the index; of one tier's index where the filter is one tier."""
    table = generation.rows
    query = records.all_columns(table).where(part.condition(dict(table.c.items())))
    if len(filters.tiers) == 1 and part.order[0] == "value_at_risk":
        query = query.where(table.c.tier == filters.tiers[0])
    n = SCANNED if filters != row_filters.NONE else limit
    near = _after_cursor(query, table.c, part, sort).limit(n).subquery("near")
    query = row_filters.apply(connection, sa.select(*near.c), near, generation, filters)
    return connection.execute(_order_by(query, near.c, part, sort).limit(limit)).all()


def _sort_all(
    connection: Connection, generation: Generation, filters: Filters, sort: Sort, part: IndexRange, limit: int
) -> Rows:
    """The matches among all rows. No index applies to `+ column`, so the planner cannot choose a wrong one.

    PostgreSQL knows how many rows a tier or a reason has, so it keeps its indexes on texts; SQLite only that of moves.
    """
    table, is_sqlite = generation.rows, connection.dialect.name == "sqlite"
    unindexed = {
        name: _without_index(c) if is_sqlite or isinstance(c.type, sa.Double) else c for name, c in table.c.items()
    }
    query = records.all_columns(table).where(part.condition(unindexed))
    query = row_filters.apply(connection, query, table, generation, filters, unindexed if is_sqlite else None)
    order = unindexed if len(part.order) > 1 else table.c
    return connection.execute(_after_cursor(query, order, part, sort).limit(limit)).all()


def _after_cursor(query: sa.Select[Any], columns: Any, part: IndexRange, sort: Sort) -> sa.Select[Any]:
    if part.seen is not None:
        position = sa.tuple_(*(columns[name] for name in part.order))
        seen = sa.tuple_(*map(sa.literal, part.seen))
        query = query.where(position < seen if sort.is_descending else position > seen)
    return _order_by(query, columns, part, sort)


def _order_by(query: sa.Select[Any], columns: Any, part: IndexRange, sort: Sort) -> sa.Select[Any]:
    order = [columns[name] for name in part.order]
    return query.order_by(*(column.desc() if sort.is_descending else column.asc() for column in order))


def _without_index(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.UnaryExpression(column, operator=operators.custom_op("+"), type_=column.type)
