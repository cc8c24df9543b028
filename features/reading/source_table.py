"""Open a source table: find its files, match its columns, parse every cell."""

from __future__ import annotations

import ibis

from tiercast.features.engines import Engine
from tiercast.features.reading import columns, database, text_files, validation
from tiercast.features.reading import sources as places
from tiercast.features.reading.sources import Sources


def open_table(engine: Engine, table: str, sources: Sources) -> ibis.Table:
    """The parsed rows of one input table (see `validation.parse`).

    Parquet is read in place. Parsing text is slow: CSV, and Parquet with times or amounts as text, are parsed once and
    stored as Parquet in the engine's folder. A database table is copied there once.
    """
    source = getattr(sources, table)
    if database.is_one(source):
        if engine.folder is None:
            raise database.out_of_reach(source)
        source = database.copy(source, table, sources.columns, engine.folder)
    files = places.find(source, remote=engine.reads_remote)
    raw = _raw(engine, files)
    named = columns.match(table, raw.columns, sources.columns)
    parsed = validation.parse(raw, table, named)
    slow = [given for name, given in named.items() if name in ("ordered_at", "occurred_at", "amount", "margin")]
    has_text = any(raw[given].type().is_string() for given in slow)
    return engine.store(f"{table}_read", parsed) if files.format == "text" or has_text else parsed


def _raw(engine: Engine, files: places.SourceFiles) -> ibis.Table:
    if files.format == "parquet":
        return engine.parquet(files.paths)
    header = text_files.header(files)
    return engine.text(files.paths, header.names, header.delimiter)
