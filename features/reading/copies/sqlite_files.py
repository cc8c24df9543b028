"""A table of an SQLite file as Parquet: `shop.db#orders` or `sqlite:///shop.db#orders`.

The file is opened read-only, and one transaction sees one state of it.
"""

from __future__ import annotations

import contextlib
import functools
import pathlib
import sqlite3
import urllib.parse
from collections.abc import Iterator

from sqlglot import exp

from tiercast.contract import errors
from tiercast.features.reading.copies import table_choice, typed_rows
from tiercast.features.reading.copies.named_tables import NamedTable
from tiercast.features.reading.copies.table_choice import Choose


def copy(named: NamedTable, choose: Choose, target: pathlib.Path) -> str:
    """Write the columns that `choose` picks to `target`; its path. Raises `SourceUnreadable`."""
    with _connected(named.place) as connection:
        tables = [name for (name,) in connection.execute(_tables())]
        table = table_choice.pick(named, tables)
        cursor = connection.execute(exp.select("*").from_(_quoted(table)).limit(0).sql("sqlite"))
        chosen = list(choose([column[0] for column in cursor.description]))
        query = exp.select(*map(_column, chosen)).from_(_quoted(table)).sql("sqlite")
        _refuse_binary(connection, table, chosen, named)
        return typed_rows.write(chosen, functools.partial(connection.execute, query), target)


@contextlib.contextmanager
def _connected(place: str) -> Iterator[sqlite3.Connection]:
    address = f"file:{urllib.parse.quote(str(pathlib.Path(place).absolute()))}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            yield connection
    except sqlite3.Error as error:
        hint = "check the file with: sqlite3 FILE 'PRAGMA integrity_check'"
        raise errors.SourceUnreadable(f"SQLite says: {error}", first=place, hint=hint) from error


def _tables() -> str:
    is_table = exp.column("type").isin("table", "view") & exp.column("name").like("sqlite_%").not_()
    return exp.select("name").from_("sqlite_master").where(is_table).order_by("name").sql("sqlite")


def _refuse_binary(connection: sqlite3.Connection, table: str, chosen: list[str], named: NamedTable) -> None:
    for name in chosen:
        is_blob = exp.func("typeof", _column(name)).eq("blob")
        query = exp.select(exp.Count(this=exp.Star())).from_(_quoted(table)).where(is_blob).sql("sqlite")
        ((n,),) = connection.execute(query)
        if n:
            raise errors.WrongType(
                f"{name!r} has binary cells",
                first=str(named),
                hint="pass a view that leaves it out or casts it to text",
            )


def _quoted(table: str) -> exp.Table:
    return exp.Table(this=exp.to_identifier(table, quoted=True))


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))
