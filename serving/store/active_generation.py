"""Rows of the served generation in one round trip to the database.

The pointer says which generation is served, and a query needs the name of its table before it is sent. So each
connection caches the generation that it saw served last and the moment of the switch to it. Its query returns rows
*if the pointer still says so*: one statement, which sees one state. Only after a switch is the pointer read first.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, Row

from tiercast.serving.store import generations, tables
from tiercast.serving.store.generations import Generation

CACHE_KEY = "tiercast_active_generation"
_p = tables.pointer.c
Rows = Sequence[Row[*tuple[Any, ...]]]


class ActiveGeneration(NamedTuple):
    """A generation and the moment of the switch to it. A rollback switches again, at another moment."""

    generation: Generation
    since: dt.datetime | None


def rows(connection: Connection, ids: Sequence[str]) -> tuple[Generation, Rows]:
    """The served generation and its rows with these ids, in any order. Raises `StoreRefused` where none is served."""
    active = connection.info.pop(CACHE_KEY, None) or _read(connection)  # not cached while it may have been pruned
    while not (found := _select(connection, active, ids)):
        active = _read(connection)
    if connection.dialect.name == "postgresql":  # SQLite runs in this process: reading the pointer costs nothing
        connection.info[CACHE_KEY] = active
    return active.generation, [row for row in found if row.customer_id is not None]


def _read(connection: Connection) -> ActiveGeneration:
    since = connection.scalar(sa.select(_p.switched_at))
    return ActiveGeneration(generations.current_in(connection), since)


def _select(connection: Connection, active: ActiveGeneration, ids: Sequence[str]) -> Rows:
    """No row if another generation is served; one row without an id if this one is, and has none of these ids."""
    query, encode = _query(active.generation.id, active.generation.columns, connection.dialect.name)
    return connection.execute(query, {"ids": encode(ids), "since": active.since}).all()


@functools.lru_cache(maxsize=64)
def _query(
    generation_id: int, columns: tuple[str, ...], dialect: str
) -> tuple[sa.Select[Any], Callable[[Sequence[str]], Any]]:
    """The query, and the function that makes its one parameter from several ids.

    Building a query takes longer than running it, so it is built once. It has one parameter for any number of ids, so
    the database prepares it once.
    """
    table, encode = tables.scores_of(generation_id, columns), list if dialect == "postgresql" else json.dumps
    rows = tables.pointer.outerjoin(table, _is_one_of(table.c.customer_id, dialect))
    is_active = (_p.generation_id == generation_id, _p.switched_at.is_not_distinct_from(sa.bindparam("since")))
    return sa.select(*table.c).select_from(rows).where(*is_active), encode


def _is_one_of(column: sa.ColumnElement[str], dialect: str) -> sa.ColumnElement[bool]:
    if dialect == "postgresql":
        return column == sa.any_(sa.bindparam("ids", type_=postgresql.ARRAY(sa.Text)))
    return column.in_(sa.select(sa.func.json_each(sa.bindparam("ids", type_=sa.Text)).table_valued("value").c.value))
