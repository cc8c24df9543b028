"""Sources that no engine reads in place: each is copied once, into the engine's folder, and read from there.

Memory holds a batch of a database or of a file's text, and at most one sheet of a workbook. The copies are gone with
the engine.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable

from tiercast.contract import addresses, errors
from tiercast.features.engines import Engine
from tiercast.features.reading import first_bytes, sources
from tiercast.features.reading.copies import (
    archives,
    downloads,
    duckdb_files,
    mysql,
    named_tables,
    postgres,
    sqlite_files,
    workbooks,
)
from tiercast.features.reading.copies.named_tables import NamedTable
from tiercast.features.reading.copies.table_choice import Choose

__all__ = ["Choose", "copy", "local_files", "part"]


def copy(engine: Engine, source: str, table: str, choose: Choose) -> str:
    """The place to read `source` from: itself, or its copy as Parquet or text in the engine's folder.

    `choose` picks the columns to copy from the names that are there, and raises where one is missing. Raises
    `BadInput`.
    """
    if postgres.is_one(source):
        if engine.folder is None:
            raise postgres.out_of_reach(source)
        return postgres.copy(source, choose, _target(engine, source, table))
    if mysql.is_one(source):
        return mysql.copy(source, choose, _target(engine, source, table))
    if downloads.is_one(source) and not (engine.reads_remote and source.startswith(sources.STORES)):
        place, _, part_name = source.partition("#")
        fetched = downloads.fetch(place, _target(engine, source, table).with_name(f"{table}_fetched"))
        return copy(engine, str(NamedTable(fetched, part_name or None)), table, choose)
    named = named_tables.parse(source)
    if not named_tables.is_file(named.place):
        return _missing(named, source)
    copier = _copier(named.place)
    return source if copier is None else copier(engine, named, table, choose)


def _missing(named: NamedTable, source: str) -> str:
    """The source itself, for `sources.find` to look for a glob or a folder; an address of a file must have one."""
    if source.startswith(named_tables.FILE_SCHEMES):
        slashes = "sqlite:///shop.db is in this folder, sqlite:////data/shop.db is an absolute path"
        raise errors.SourceUnreadable("there is no such file", first=named.place, hint=f"check the path: {slashes}")
    return source


def local_files(source: str) -> tuple[str, ...] | None:
    """The files of this machine behind a source; None where it lies on a server. Raises `SourceUnreadable`."""
    named = named_tables.parse(source)
    if named_tables.is_file(named.place):
        return (named.place,)
    is_elsewhere = postgres.is_one(source) or mysql.is_one(source) or downloads.is_one(source)
    return None if is_elsewhere else sources.find(source).paths


def part(source: str) -> str | None:
    """The sheet, table or member that a source names in its file, if any."""
    return named_tables.parse(source).table


def _copier(place: str) -> Callable[[Engine, NamedTable, str, Choose], str] | None:
    kind = first_bytes.kind(_start(place))
    if kind is first_bytes.ZIP:
        return _workbook if archives.is_workbook(place) else _archive
    copiers = {first_bytes.XLS: _workbook, first_bytes.SQLITE: _sqlite, first_bytes.DUCKDB: _duckdb}
    return copiers.get(kind) if kind else None


def _workbook(engine: Engine, named: NamedTable, table: str, choose: Choose) -> str:
    return workbooks.copy(named, choose, _target(engine, str(named), table))


def _sqlite(engine: Engine, named: NamedTable, table: str, choose: Choose) -> str:
    return sqlite_files.copy(named, choose, _target(engine, str(named), table))


def _duckdb(engine: Engine, named: NamedTable, table: str, choose: Choose) -> str:
    return duckdb_files.copy(engine, named, choose, _target(engine, str(named), table))


def _archive(engine: Engine, named: NamedTable, table: str, choose: Choose) -> str:
    folder = _target(engine, str(named), table).with_suffix("")
    folder.mkdir(exist_ok=True)
    unpacked = archives.unpack(named, folder)
    if first_bytes.kind(_start(unpacked)) is first_bytes.ZIP and not archives.is_workbook(unpacked):
        hint = "unpack the outer archive and pass the inner one"
        raise errors.SourceUnreadable("the archive holds an archive", first=str(named), hint=hint)
    return copy(engine, unpacked, table, choose)


def _target(engine: Engine, source: str, table: str) -> pathlib.Path:
    if engine.folder is None:
        hint = "write it as Parquet first, and pass that folder"
        what = "such a source is copied on one machine, which the workers do not reach"
        raise errors.SourceUnreadable(what, first=addresses.redact(source), hint=hint)
    return engine.folder / f"{table}_copied.parquet"


def _start(place: str) -> bytes:
    try:
        with pathlib.Path(place).open("rb") as file:
            return file.read(first_bytes.LENGTH)
    except OSError:  # `sources.find` says why it cannot be opened
        return b""
