"""Finding customers: filtered, sorted, page after page, or all of them as a stream that needs no memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from tiercast.contract import errors
from tiercast.contract import scores as contract
from tiercast.serving.store import cursor as cursors
from tiercast.serving.store import database, generations, keyset, records, tables
from tiercast.serving.store import filters as row_filters
from tiercast.serving.store.cursor import Cursor
from tiercast.serving.store.filters import Filters
from tiercast.serving.store.generations import Generation
from tiercast.serving.store.keyset import Sort
from tiercast.serving.store.records import Record

MOST = 1_000
SLICE = 1 << 12


class Page(NamedTuple):
    """`next` leads to the page after this one; None on the last."""

    generation: Generation
    rows: list[Record]
    next: str | None


class Export(NamedTuple):
    """`schema` is the contract's, `batches` come in the order of ids."""

    generation: Generation
    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


def search(
    engine: Engine,
    filters: Filters = row_filters.NONE,
    sort: Sort = Sort(),  # noqa: B008  immutable
    after: str | None = None,
    limit: int = 100,
) -> Page:
    """One page of those whom the filters let through. Raises `BadInput`, and `GenerationGone` for an old cursor.

    All pages of a listing come from the generation of its first page, also when a newer one is published meanwhile.
    """
    if not 1 <= limit <= MOST:
        raise errors.BadInput(
            "a page has another size", first=f"limit {limit}", hint=f"ask for 1 to {MOST:,} customers"
        )
    question = cursors.question(filters, sort)
    last = None if after is None else cursors.read(after, question)
    return database.run_query(
        engine, lambda connection: _page(connection, filters, sort, question, last, limit), is_long=True
    )


def count(engine: Engine, filters: Filters = row_filters.NONE) -> int:
    """How many customers of the served generation the filters let through."""

    def ask(connection: Connection) -> int:
        generation = generations.current_in(connection)
        table = generation.rows
        query = sa.select(sa.func.count()).select_from(table)
        return int(connection.scalar(row_filters.apply(connection, query, table, generation, filters)) or 0)

    return database.run_query(engine, ask, is_long=True)


@contextlib.contextmanager
def stream(engine: Engine, filters: Filters = row_filters.NONE) -> Iterator[Export]:
    """Everybody whom the filters let through, as Arrow batches to be taken inside the block."""
    with database.read_transaction(engine) as connection:
        generation = generations.current_in(connection)
        table = generation.rows
        query = records.all_columns(table).order_by(table.c.customer_id)
        query = row_filters.apply(connection, query, table, generation, filters)
        g = tables.generations.c
        notes = connection.execute(sa.select(g.notes).where(g.id == generation.id)).scalar_one()
        schema = _schema(generation, notes, filters)
        rows = connection.execution_options(yield_per=SLICE).execute(query)
        yield Export(generation, schema, (records.batch(part, generation, schema) for part in rows.partitions()))


def _schema(generation: Generation, notes: dict[str, Any], filters: Filters) -> pa.Schema:
    """The contract's, with what the published file said of itself, and what was left out of it."""
    given = {name: value for name, value in filters._asdict().items() if value != getattr(row_filters.NONE, name)}
    extra = {**notes, "generation": generation.id, **({"selection": repr(given)} if given else {})}
    label = str(notes.get("label", ""))
    return contract.schema(
        generation.currency, generation.churn_days, generation.value_days, label_definition=label, extra=extra
    )


def _page(connection: Connection, filters: Filters, sort: Sort, question: str, last: Cursor | None, limit: int) -> Page:
    current = generations.current_in(connection)
    generation = current if last is None else generations.get(connection, last.generation_id)
    found = keyset.rows(connection, generation, filters, sort, last, limit + 1)
    rows = [records.record(row, generation) for row in found[:limit]]
    if len(found) <= limit:
        return Page(generation, rows, None)
    end = rows[-1]
    number = None if sort.by == "customer_id" else end[sort.by]
    return Page(generation, rows, cursors.written(Cursor(generation.id, question, number, end["customer_id"])))
