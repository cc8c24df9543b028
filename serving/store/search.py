"""Search: filtered and sorted customers in pages, or all matches as a stream in constant memory."""

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

MAX_LIMIT = 1_000
SLICE = 1 << 12


class Page(NamedTuple):
    """`next` is the cursor of the page after this one; None on the last."""

    generation: Generation
    rows: list[Record]
    next: str | None


class Export(NamedTuple):
    """Batches with the contract's `schema`, in the order of ids."""

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
    """One page of the customers that match. Raises `BadInput`, and `GenerationGone` for an old cursor.

    All pages come from the generation of the first page, also when a newer one is published meanwhile.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise errors.BadInput(
            "a page has another size", first=f"limit {limit}", hint=f"ask for 1 to {MAX_LIMIT:,} customers"
        )
    fingerprint = cursors.fingerprint(filters, sort)
    last = None if after is None else cursors.decode(after, fingerprint)
    return database.run_query(
        engine, lambda connection: _page(connection, filters, sort, fingerprint, last, limit), is_long=True
    )


def count(engine: Engine, filters: Filters = row_filters.NONE) -> int:
    """How many customers of the served generation match."""

    def run(connection: Connection) -> int:
        generation = generations.current_in(connection)
        table = generation.rows
        query = sa.select(sa.func.count()).select_from(table)
        return int(connection.scalar(row_filters.apply(connection, query, table, generation, filters)) or 0)

    return database.run_query(engine, run, is_long=True)


@contextlib.contextmanager
def stream(engine: Engine, filters: Filters = row_filters.NONE) -> Iterator[Export]:
    """All customers that match, as Arrow batches that are read inside the block."""
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
    """The contract's schema with the metadata of the published file and the filters of this export."""
    given = {name: value for name, value in filters._asdict().items() if value != getattr(row_filters.NONE, name)}
    extra = {**notes, "generation": generation.id, **({"selection": repr(given)} if given else {})}
    label = str(notes.get("label", ""))
    return contract.schema(
        generation.currency, generation.churn_days, generation.value_days, label_definition=label, extra=extra
    )


def _page(
    connection: Connection, filters: Filters, sort: Sort, fingerprint: str, last: Cursor | None, limit: int
) -> Page:
    current = generations.current_in(connection)
    generation = current if last is None else generations.get(connection, last.generation_id)
    found = keyset.rows(connection, generation, filters, sort, last, limit + 1)
    rows = [records.record(row, generation) for row in found[:limit]]
    if len(found) <= limit:
        return Page(generation, rows, None)
    end = rows[-1]
    number = None if sort.by == "customer_id" else end[sort.by]
    return Page(generation, rows, cursors.encode(Cursor(generation.id, fingerprint, number, end["customer_id"])))
