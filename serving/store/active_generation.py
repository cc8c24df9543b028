"""Some rows of the generation that is served, in one way to the database and back.

Which one that is stands in the pointer, and a table cannot be asked for before its name is known. So each connection
remembers the generation that it saw served last and the moment of the switch to it, and asks for rows of its table *if
the pointer still says so*: one statement, which sees one state. Only after a switch is the pointer asked first.
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

SEEN = "tiercast_served"
_p = tables.pointer.c
Rows = Sequence[Row[*tuple[Any, ...]]]


class Served(NamedTuple):
    """A generation and when it was switched to: once more after a rollback, and never twice at the same moment."""

    generation: Generation
    since: dt.datetime | None


def rows(connection: Connection, ids: Sequence[str]) -> tuple[Generation, Rows]:
    """The served generation, and its rows with these ids in any order. Raises `StoreRefused` where none is served."""
    served = connection.info.pop(SEEN, None) or _look(connection)  # away while it may turn out to be pruned
    while not (found := _asked(connection, served, ids)):
        served = _look(connection)
    if connection.dialect.name == "postgresql":  # SQLite is in this process: asking it first costs next to nothing
        connection.info[SEEN] = served
    return served.generation, [row for row in found if row.customer_id is not None]


def _look(connection: Connection) -> Served:
    since = connection.scalar(sa.select(_p.switched_at))
    return Served(generations.current_in(connection), since)


def _asked(connection: Connection, served: Served, ids: Sequence[str]) -> Rows:
    """Nothing if another generation is served; one row without an id if this one is, and has none of these ids."""
    question, several = _question(served.generation.id, served.generation.columns, connection.dialect.name)
    return connection.execute(question, {"ids": several(ids), "since": served.since}).all()


@functools.lru_cache(maxsize=64)
def _question(
    generation_id: int, columns: tuple[str, ...], dialect: str
) -> tuple[sa.Select[Any], Callable[[Sequence[str]], Any]]:
    """The question, and how its one parameter holds several ids.

    Building a question takes longer than answering it, so it is built once; and because there is one parameter however
    many ids, the database prepares it once.
    """
    table, several = tables.scores_of(generation_id, columns), list if dialect == "postgresql" else json.dumps
    rows = tables.pointer.outerjoin(table, _is_one_of(table.c.customer_id, dialect))
    is_served = (_p.generation_id == generation_id, _p.switched_at.is_not_distinct_from(sa.bindparam("since")))
    return sa.select(*table.c).select_from(rows).where(*is_served), several


def _is_one_of(column: sa.ColumnElement[str], dialect: str) -> sa.ColumnElement[bool]:
    if dialect == "postgresql":
        return column == sa.any_(sa.bindparam("ids", type_=postgresql.ARRAY(sa.Text)))
    return column.in_(sa.select(sa.func.json_each(sa.bindparam("ids", type_=sa.Text)).table_valued("value").c.value))
