"""Opening a source: its files, its columns, every cell read."""

from __future__ import annotations

import ibis

from tiercast.features.engines import Engine
from tiercast.features.reading import (
    columns,
    database,
    sources,
    text_files,
    validation,
)
from tiercast.features.reading.sources import Sources


def open_table(engine: Engine, table: str, place: Sources) -> ibis.Table:
    """The parsed rows of one input table (see `cleaning.parse`).

    Parquet is read where it is. CSV is read once and kept as Parquet in the engine's folder, and so are times and
    amounts that are text in Parquet, for reading text is slow. A database is asked once, and its answer kept likewise.
    """
    source = getattr(place, table)
    if database.is_one(source):
        if engine.folder is None:
            raise database.out_of_reach(source)
        source = database.copy(source, table, place.columns, engine.folder)
    files = sources.find(source, remote=engine.reads_remote)
    raw = _raw(engine, files)
    named = columns.match(table, raw.columns, place.columns)
    parsed = validation.parse(raw, table, named)
    costly = [given for name, given in named.items() if name in ("ordered_at", "occurred_at", "amount", "margin")]
    is_slow = any(raw[given].type().is_string() for given in costly)
    return engine.store(f"{table}_read", parsed) if files.format == "text" or is_slow else parsed


def _raw(engine: Engine, files: sources.Files) -> ibis.Table:
    if files.format == "parquet":
        return engine.parquet(files.paths)
    header = text_files.header(files)
    return engine.text(files.paths, header.names, header.delimiter)
