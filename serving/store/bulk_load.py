"""Loading a score file: validate its rows, convert them to the store's columns, insert them in bulk."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from pyarrow import compute, csv
from sqlalchemy.engine import Connection

from tiercast.contract import errors, scores
from tiercast.features.reading import score_reader
from tiercast.serving.store import tables
from tiercast.tiers import grid

NEVER_NULL = tuple(c.name for c in scores.SCORES if c.null_when == "never")
DOUBLES = tuple(c.name for c in scores.SCORES if c.type == "double")


def validated(rows: pa.Table, path: str) -> pa.Table:
    """The rows with the contract's types. Raises `BadInput` for values that no score file has."""
    expected = pa.schema([pa.field(c.name, scores.arrow_type(c.type)) for c in scores.SCORES])
    try:
        found = rows.select(expected.names).cast(expected)
    except pa.ArrowException as error:
        raise _refusal(f"a column has another type than scores have: {str(error).splitlines()[0]}", path) from error
    for name in NEVER_NULL:
        if found[name].null_count:
            raise _refusal(f"{name} is missing", path, found[name].null_count, found.num_rows)
    letters = set(compute.unique(found["tier"]).to_pylist())
    if wrong := sorted(letters - set(grid.TIERS)):
        raise _refusal(f"there is a tier that is none of A to F: {wrong[0]!r}", path)
    if compute.any(compute.match_substring(found["customer_id"], "\0")).as_py():
        raise _refusal("an id contains the character NUL, which no database keeps in a text", path)
    return found


def constant(rows: pa.Table, name: str, before: Any, path: str) -> Any:
    """The one value of a column, equal to that of the rows `before` (None: there were none). Raises `BadInput`."""
    found = compute.unique(rows[name]).to_pylist()
    if len(found) == 1 and before in (None, found[0]):
        return found[0]
    first = " and ".join(map(str, dict.fromkeys([before, *found] if before is not None else found)))
    raise _refusal(f"{name} is not the same in all rows: {first}", path)


def last_id(rows: pa.Table, before: str | None, path: str) -> str:
    """The last of these sorted ids, all of them after `before`. Raises `BadInput` for a duplicate."""
    ids = rows["customer_id"].combine_chunks()
    duplicates = compute.filter(ids[1:], compute.equal(ids[1:], ids[:-1])).to_pylist()
    if ids[0].as_py() == before:
        duplicates.insert(0, before)
    if duplicates:
        hint = "score that day again; a score file is never edited by hand"
        first = f"{duplicates[0]} in {path}"
        raise errors.BadInput("the customer is there more than once", first=first, hint=hint)
    return str(ids[-1].as_py())


def columns(rows: pa.Table, path: str) -> dict[str, pa.Array]:
    """The store's columns without those of moves. NaN becomes null."""
    names = [name for name in rows.schema.names if name not in (*tables.ONCE, "reasons")]
    found = {name: _array(rows[name]) for name in names}
    for name in DOUBLES:
        found[name] = compute.if_else(compute.is_nan(found[name]), pa.scalar(None, pa.float64()), found[name])
    found |= _reasons(_array(rows["reasons"]), path)
    found["value_at_risk"] = compute.multiply(found["value"], found["p_churn"])
    return found


def insert(connection: Connection, table: sa.Table, rows: dict[str, pa.Array]) -> None:
    """Insert rows into a generation's table: COPY on PostgreSQL, one prepared statement on SQLite."""
    ordered = [rows[name] for name in table.c.keys()]  # noqa: SIM118  a collection of columns, not a dict
    if connection.dialect.name == "postgresql":
        _copy(connection, table, pa.table(ordered, names=table.c.keys()))
        return
    statement = str(table.insert().compile(dialect=connection.dialect))
    connection.exec_driver_sql(statement, list(zip(*(column.to_pylist() for column in ordered), strict=True)))


def _copy(connection: Connection, table: sa.Table, rows: pa.Table) -> None:
    """COPY of CSV from Arrow: numbers in the shortest form that reads back the same, null empty, "" in quotes."""
    from psycopg import sql

    text = io.BytesIO()
    csv.write_csv(rows, text, csv.WriteOptions(include_header=False))
    names = sql.SQL(", ").join(map(sql.Identifier, rows.column_names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table.name), names)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(text.getbuffer())


def _reasons(lists: pa.ListArray, path: str) -> dict[str, pa.Array]:
    """The first, second and third reason; null where there are fewer."""
    lengths = compute.list_value_length(lists).to_numpy(zero_copy_only=False)
    if (longest := int(lengths.max(initial=0))) > len(tables.REASONS):
        raise _refusal(f"a customer has {longest} reasons; there are at most {len(tables.REASONS)}", path)
    starts = np.cumsum(lengths) - lengths
    flat = compute.list_flatten(lists)
    places = [pa.array(starts + k, mask=lengths <= k) for k in range(len(tables.REASONS))]
    return {name: flat.take(place) for name, place in zip(tables.REASONS, places, strict=True)}


def _array(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined


def _refusal(what: str, path: str, count: int | None = None, total: int | None = None) -> errors.BadInput:
    return errors.BadInput(what, count=count, total=total, first=path, hint=score_reader.HINT)
