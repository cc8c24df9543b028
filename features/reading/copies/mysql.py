"""A MySQL or MariaDB table as Parquet, copied once in batches: `mysql://user@host/database?table=orders`.

One consistent snapshot is read. Every cell comes as the text that the server writes, as a CSV export would have it;
times of type TIMESTAMP come at UTC. The password comes from MYSQL_PWD, as for MySQL's own programs, rather than from
the address, which other users of the machine can see.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import urllib.parse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet
from sqlglot import exp

from tiercast.contract import addresses, errors
from tiercast.features.reading.copies import named_tables, typed_rows
from tiercast.features.reading.copies.table_choice import Choose

if TYPE_CHECKING:
    from pymysql.cursors import SSCursor

SCHEMES = ("mysql://", "mariadb://")
FORM = "write mysql://user@host/database?table=orders"
DEFAULT_PORT = 3306
TIMEOUT_SECONDS = 20
HINTS = {
    1146: "check the table's name; it is taken as written",
    1142: "GRANT SELECT on it to this user",
    1049: "check the name of the database",
}
HINT = "check address, user and password (MYSQL_PWD), and whether the server runs"


class MySqlTable(NamedTuple):
    """Where the database is, and the table; another schema of the same server may be part of its name."""

    parts: urllib.parse.SplitResult
    table: exp.Table


def is_one(source: str) -> bool:
    """Is this the address of such a database?"""
    return source.startswith(SCHEMES)


def copy(source: str, choose: Choose, target: pathlib.Path) -> str:
    """Write the columns that `choose` picks to a Parquet file; its path. Raises `SourceUnreadable`."""
    address = _address(source)
    with _connected(source, address) as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        cursor.execute(exp.select("*").from_(address.table).limit(0).sql("mysql"))
        names = [column[0] for column in cursor.description or ()]
        cursor.fetchall()
        chosen = list(choose(names))
        columns = [exp.column(exp.to_identifier(name, quoted=True)) for name in chosen]
        cursor.execute(exp.select(*columns).from_(address.table).sql("mysql"))
        return _write(cursor, chosen, source, target)


def _address(source: str) -> MySqlTable:
    named = named_tables.parse(source)
    parts = urllib.parse.urlsplit(named.place)
    tables = [value for name, value in urllib.parse.parse_qsl(parts.query) if name == "table"]
    tables += [named.table] if named.table else []
    if len(tables) != 1 or not parts.path.strip("/"):
        what = "the address names no database" if len(tables) == 1 else f"the address names {len(tables)} tables"
        raise _unreadable(source, what, FORM)
    schema, _, name = tables[0].rpartition(".")
    table = exp.Table(
        this=exp.to_identifier(name, quoted=True), db=exp.to_identifier(schema, quoted=True) if schema else None
    )
    return MySqlTable(parts, table)


@contextlib.contextmanager
def _connected(source: str, address: MySqlTable) -> Iterator[SSCursor]:
    try:
        import pymysql
        from pymysql import converters
        from pymysql.cursors import SSCursor
    except ImportError as error:
        hint = "pip install 'tiercast[mysql]', or export the table to Parquet"
        raise errors.BadInput("reading from MySQL is not installed", first=str(error), hint=hint) from error
    try:
        # Without the decoders of PyMySQL, every cell stays the text that the server writes.
        texts: dict[Any, Any] = {**converters.encoders}
        connected = contextlib.closing(pymysql.connect(**_login(address.parts), conv=texts))
        with connected as connection, connection.cursor(SSCursor) as cursor:
            yield cursor
    except pymysql.Error as error:
        code, message = (*error.args, "", "")[:2]
        raise _unreadable(source, f"the database says: {message or code}", HINTS.get(code, HINT)) from None


def _login(parts: urllib.parse.SplitResult) -> dict[str, Any]:
    sockets = [value for name, value in urllib.parse.parse_qsl(parts.query) if name == "unix_socket"]
    return {
        "host": parts.hostname or "localhost",
        "port": parts.port or DEFAULT_PORT,
        "user": urllib.parse.unquote(parts.username) if parts.username else None,
        "password": urllib.parse.unquote(parts.password or os.environ.get("MYSQL_PWD", "")),
        "database": urllib.parse.unquote(parts.path.strip("/")),
        "unix_socket": sockets[0] if sockets else None,
        "charset": "utf8mb4",
        "connect_timeout": TIMEOUT_SECONDS,
    }


def _write(cursor: SSCursor, names: list[str], source: str, target: pathlib.Path) -> str:
    schema = pa.schema([pa.field(name, pa.string()) for name in names])
    try:
        with parquet.ParquetWriter(target, schema, compression="zstd", compression_level=1) as file:
            for batch in typed_rows.batches(cursor.fetchall_unbuffered()):
                columns = list(zip(*batch))
                file.write_table(pa.table([pa.array(cells, pa.string()) for cells in columns], schema=schema))
    except (UnicodeError, pa.ArrowException) as error:
        hint = "pass a view that leaves it out or casts it to text"
        raise _unreadable(source, f"a column has binary cells: {error}", hint) from None
    except OSError as error:
        what = "the table's copy cannot be written"
        raise errors.CannotWrite(what, first=str(target.parent), hint=typed_rows.NO_SPACE) from error
    return str(target)


def _unreadable(source: str, what: str, hint: str) -> errors.SourceUnreadable:
    return errors.SourceUnreadable(what, first=addresses.redact(source), hint=hint)
