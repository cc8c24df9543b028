"""Open a source table: find its files, match its columns, parse every cell."""

from __future__ import annotations

from collections.abc import Sequence

import ibis

from tiercast.contract import errors
from tiercast.features.engines import Engine
from tiercast.features.reading import columns, database, first_lines, header_faults, text_files, transcoding, validation
from tiercast.features.reading import sources as places
from tiercast.features.reading.sources import Sources
from tiercast.features.reading.text_files import Header


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
    open_files = _text if files.format == "text" else _parquet
    raw, named = open_files(engine, files, table, sources)
    parsed = validation.parse(raw, table, named)
    slow = [given for name, given in named.items() if name in ("ordered_at", "occurred_at", "amount", "margin")]
    has_text = any(raw[given].type().is_string() for given in slow)
    return engine.store(f"{table}_read", parsed) if files.format == "text" or has_text else parsed


def _parquet(
    engine: Engine, files: places.SourceFiles, table: str, sources: Sources
) -> tuple[ibis.Table, dict[str, str]]:
    raw = engine.parquet(files.paths)
    return raw, columns.match(table, raw.columns, sources.columns)


def _text(engine: Engine, files: places.SourceFiles, table: str, sources: Sources) -> tuple[ibis.Table, dict[str, str]]:
    """The columns are matched by their names in the file; an engine may need others (see `Header.columns`).

    A column without a name, such as the row numbers that pandas writes, is left out."""
    header = text_files.header(files)
    try:
        named = columns.match(table, [name for name in header.names if name], sources.columns)
    except errors.MissingColumn:
        header_faults.refuse(files, header, table, sources.columns)
        raise
    unique = dict(zip(header.names, header.columns, strict=True))
    paths = _as_utf8(engine, files.paths, table, header)
    raw = engine.text(paths, header.columns, header.delimiter, skipped=header.skipped)
    nameless = [column for name, column in zip(header.names, header.columns, strict=True) if not name]
    return raw.drop(*nameless), {ours: unique[given] for ours, given in named.items()}


def _as_utf8(engine: Engine, paths: Sequence[str], table: str, header: Header) -> Sequence[str]:
    if header.encoding == first_lines.UTF8:
        return paths
    if engine.folder is None:
        hint = "write it as UTF-8: iconv -f utf-16 -t utf-8 FILE > FILE.utf8.csv"
        raise errors.SourceUnreadable("only UTF-8 is read by many machines", first=paths[0], hint=hint)
    targets = [engine.folder / f"{table}_{position}.csv" for position in range(len(paths))]
    return [transcoding.to_utf8(path, header.encoding, target) for path, target in zip(paths, targets, strict=True)]
