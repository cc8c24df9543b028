"""A PostgreSQL table as a source: copied once, in batches, to Parquet in the engine's folder.

    postgresql://user@host/database?table=sales.orders

One COPY sees one state of the table, however long it takes and whoever writes meanwhile; every later pass then reads
the copy. Memory holds a batch, never the table. The password comes from PGPASSWORD or ~/.pgpass, as for any PostgreSQL
program, rather than from the address, which other users of the machine can see.
"""

from __future__ import annotations

import contextlib
import pathlib
import urllib.parse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet
from sqlglot import errors as sqlglot_errors
from sqlglot import exp

from tiercast.contract import addresses, errors
from tiercast.features.reading.copies.table_choice import Choose

if TYPE_CHECKING:
    from adbc_driver_manager import dbapi

SCHEMES = ("postgresql://", "postgres://")
FORM = "write postgresql://user@host/database?table=schema.orders"
# Arrow has these types. All others are cast to text, as in a CSV file.
ARROW_TYPES = {
    "bool",
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
    "date",
    "timestamp",
    "timestamptz",
    "text",
    "varchar",
}
TYPE = b"POSTGRESQL:type"


class Address(NamedTuple):
    """Where the database is, without the table, and the table."""

    uri: str
    table: exp.Table


def is_one(source: str) -> bool:
    """Is this the address of a database, and not a place of files?"""
    return source.startswith(SCHEMES)


def copy(source: str, choose: Choose, target: pathlib.Path) -> str:
    """Write the columns that `choose` picks to a Parquet file; its path.

    Raises `SourceUnreadable`, `CannotWrite`, and what `choose` raises where a column is missing.
    """
    address = _address(source)
    with _translate_errors(source), _connected(address.uri) as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        given = _schema(cursor, address.table)
        cursor.execute(_select([_column(given.field(name)) for name in choose(given.names)], address.table))
        return _write(cursor.fetch_record_batch(), target)


def out_of_reach(source: str) -> errors.SourceUnreadable:
    """For an engine on many machines, which a copy on this one does not reach."""
    hint = "let Spark write it first: spark.read.jdbc(...).write.parquet(...), then pass that folder"
    return _unreadable(source, "a database's table is read on one machine only", hint)


def _address(source: str) -> Address:
    parts = urllib.parse.urlsplit(source)
    options = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
    tables = [value for name, value in options if name == "table" and value]
    if len(tables) != 1:
        raise _unreadable(source, f"the address names {len(tables)} tables instead of one", FORM)
    rest = urllib.parse.urlencode([pair for pair in options if pair[0] != "table"])
    try:
        table = exp.to_table(tables[0], dialect="postgres")
    except sqlglot_errors.SqlglotError:
        raise _unreadable(source, "the table's name cannot be read", FORM) from None
    for part in table.parts:
        part.set("quoted", True)  # the name is data, never SQL
    return Address(urllib.parse.urlunsplit(parts._replace(query=rest)), table)


@contextlib.contextmanager
def _connected(uri: str) -> Iterator[dbapi.Cursor]:
    try:
        from adbc_driver_postgresql import dbapi as postgres
    except ImportError as error:
        hint = "pip install 'tiercast[postgres]', or export the table to Parquet"
        raise errors.BadInput("reading from PostgreSQL is not installed", first=str(error), hint=hint) from error
    with postgres.connect(uri) as connection, connection.cursor() as cursor:
        yield cursor


def _schema(cursor: dbapi.Cursor, table: exp.Table) -> pa.Schema:
    cursor.execute(exp.select("*").from_(table).limit(0).sql(dialect="postgres"))
    schema: pa.Schema = cursor.fetch_record_batch().schema
    return schema


def _column(field: pa.Field) -> exp.Expr:
    column: exp.Expr = exp.column(exp.to_identifier(field.name, quoted=True))
    kind = (field.metadata or {}).get(TYPE, b"").decode()
    if kind in ARROW_TYPES:
        return column
    if kind == "money":  # else it comes as a count of cents, or as "$1,000.00" when cast to text directly
        column = exp.cast(column, "numeric", dialect="postgres")
    return exp.alias_(exp.cast(column, "text", dialect="postgres"), field.name, quoted=True)


def _select(chosen: list[exp.Expr], table: exp.Table) -> str:
    return exp.select(*chosen).from_(table).sql(dialect="postgres")


def _write(batches: pa.RecordBatchReader, target: pathlib.Path) -> str:
    plain = pa.schema([pa.field(field.name, field.type) for field in batches.schema])
    try:
        with parquet.ParquetWriter(target, plain, compression="zstd", compression_level=1) as file:
            for batch in batches:
                file.write_table(pa.Table.from_arrays(batch.columns, schema=plain))
    except OSError as error:
        hint = "free some space, or set TMPDIR to a folder on a larger disk"
        raise errors.CannotWrite("the table's copy cannot be written", first=str(target.parent), hint=hint) from error
    return str(target)


@contextlib.contextmanager
def _translate_errors(source: str) -> Iterator[None]:
    """Raise `SourceUnreadable` with the message of the database for an error of the driver."""
    try:
        yield
    except errors.TiercastError:
        raise
    except Exception as error:
        if not type(error).__module__.startswith("adbc_driver_manager"):
            raise
        raise _from_driver(source, error) from None


def _from_driver(source: str, error: Exception) -> errors.SourceUnreadable:
    first = str(error).strip().splitlines()[0]  # the next lines quote the query
    message = first.rpartition("ERROR: ")[2].strip()
    state = getattr(error, "sqlstate", None)
    hints: dict[Any, str] = {
        "42P01": "check the table's name; it is taken as written, with its schema: ?table=sales.orders",
        "42501": "GRANT SELECT on it to this user",
    }
    hint = hints.get(state, "check address, user and password (PGPASSWORD or ~/.pgpass), and whether the server runs")
    return _unreadable(source, f"the database says: {message}", hint)


def _unreadable(source: str, what: str, hint: str) -> errors.SourceUnreadable:
    return errors.SourceUnreadable(what, first=addresses.redact(source), hint=hint)
