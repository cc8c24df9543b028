"""Where the plans run: a few engines with everything prepared, each used by one thread at a time.

DuckDB plans a query of this size in tens of milliseconds and runs it for one customer in a few. So each plan is
prepared once, over views that ask a `Feed` for their rows whenever they are scanned: a request only swaps what the
feeds hold. Inserting into real tables instead makes DuckDB plan anew.
"""

from __future__ import annotations

import collections
import contextlib
import queue
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.engines.duckdb import Engine

KEPT_STATEMENTS = 64
Columns = dict[str, NDArray[Any]]


class Feed:
    """A table that can be exchanged under a view; DuckDB asks for it through Arrow's stream interface."""

    def __init__(self, schema: pa.Schema) -> None:
        self.table = schema.empty_table()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


class Desk:
    """One engine. Not to be used by two threads at a time: see `Desks`."""

    def __init__(self, schemas: Mapping[str, pa.Schema]) -> None:
        self.engine = Engine(threads=1)
        self.feeds: dict[str, Feed] = {}
        self._prepared: collections.OrderedDict[str, str] = collections.OrderedDict()
        self._count = 0
        self.make_room(schemas)

    def make_room(self, schemas: Mapping[str, pa.Schema]) -> None:
        """Views for more tables, where they are not there yet."""
        for name, schema in schemas.items():
            if name not in self.feeds:
                self.feeds[name] = Feed(schema)
                self.engine.con.con.register(name, self.feeds[name])

    def lay(self, tables: Mapping[str, pa.Table]) -> None:
        """Put a request's tables under the views."""
        for name, table in tables.items():
            self.feeds[name].table = table

    def clear(self) -> None:
        """Forget the request: customers' rows are kept no longer than their answer takes."""
        self.lay({name: feed.table.schema.empty_table() for name, feed in self.feeds.items()})

    def run(self, sql: str) -> Columns:
        """The columns of a query; texts as objects, numbers as float64 with NaN for null."""
        found = self.engine.con.raw_sql(f"EXECUTE {self._name(sql)}").fetchnumpy()
        return {name: _plain(column) for name, column in found.items()}

    def table(self, sql: str) -> pa.Table:
        """The rows of a query as they are, for another query to read."""
        return self.engine.con.con.sql(f"EXECUTE {self._name(sql)}").to_arrow_table()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The few rows of a query."""
        answer = self.engine.con.raw_sql(f"EXECUTE {self._name(sql)}")
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def _name(self, sql: str) -> str:
        if sql not in self._prepared:
            self._count += 1
            self.engine.con.raw_sql(f"PREPARE plan_{self._count} AS {sql}")
            self._prepared[sql] = f"plan_{self._count}"
            if len(self._prepared) > KEPT_STATEMENTS:
                self.engine.con.raw_sql(f"DEALLOCATE {self._prepared.popitem(last=False)[1]}")
        self._prepared.move_to_end(sql)
        return self._prepared[sql]


class Desks:
    """As many desks as threads that may score at once; the one used last is taken first, for its plans are ready."""

    def __init__(self, schemas: Mapping[str, pa.Schema], n: int) -> None:
        self.every = [Desk(schemas) for _ in range(n)]
        self._free: queue.LifoQueue[Desk] = queue.LifoQueue()
        for desk in self.every:
            self._free.put(desk)

    @contextlib.contextmanager
    def borrow(self) -> Iterator[Desk]:
        """A desk for one request; waits until one is free."""
        desk = self._free.get()
        try:
            yield desk
        finally:
            desk.clear()
            self._free.put(desk)

    def close(self) -> None:
        for desk in self.every:
            desk.engine.close()


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    """DuckDB masks nulls; models want NaN."""
    return np.ma.filled(column.astype(np.float64), np.nan) if column.dtype != object else np.asarray(column)
