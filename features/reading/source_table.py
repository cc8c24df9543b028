"""Open a source table: find its files, match its columns, parse every cell."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import ibis

from tiercast.contract import addresses, errors
from tiercast.features.engines import Engine
from tiercast.features.reading import (
    columns,
    copies,
    first_lines,
    forms,
    header_faults,
    local_time,
    matching,
    text_files,
    transcoding,
    validation,
)
from tiercast.features.reading import sources as places
from tiercast.features.reading.forms import FormedRows
from tiercast.features.reading.matching import Match
from tiercast.features.reading.presets import Preset, joined_files, raw_cells
from tiercast.features.reading.sources import Sources
from tiercast.features.reading.text_files import Header

FLAT = 'write flat objects, one per line: {"customer_id": "7", "ordered_at": "2024-01-31", "amount": 12.5}'


class OpenedTable(NamedTuple):
    """Parsed rows, notes on cells that were read from other forms, and the preset that has marked the rows, if any."""

    parsed: ibis.Table
    read_as: tuple[str, ...]
    preset: Preset | None


def open_table(engine: Engine, table: str, sources: Sources, as_of: datetime.date | None) -> FormedRows:
    """The parsed rows of one input table (see `validation.parse` and `forms`). Rows on or after `as_of` decide nothing.

    Parquet is read in place. Parsing text is slow: CSV, JSON, and Parquet with times or amounts as text, are parsed
    once and stored as Parquet in the engine's folder. What no engine reads is copied there once: see `copies`.
    """
    source = getattr(sources, table)
    copied = copies.copy(engine, source, table, matching.chooser(table, sources))
    files = places.find(copied, remote=engine.reads_remote)
    with _named_as_given(source, copied):
        raw, found = OPENERS[files.format](engine, files, table, sources)
    if "://" in source and files.format == "parquet" and not sources.dialect.decimal:
        sources = sources._replace(dialect=sources.dialect._replace(decimal="."))  # a database writes numeric so
    return _parsed(engine, table, raw, found.named, sources, as_of, is_stored=files.format != "parquet")


def open_transactions(engine: Engine, sources: Sources, as_of: datetime.date | None) -> OpenedTable:
    """The parsed transactions, with the marks of the preset that knows their header (see `presets.raw_cells`)."""
    if not sources.presets:
        joined_files.refuse_unnamed(sources)
        return OpenedTable(*open_table(engine, "transactions", sources, as_of), None)
    folder = joined_files.find(sources)
    if folder is not None:
        raw = joined_files.join(folder, lambda file: _as_it_is(engine, file, sources))
        found = matching.match("transactions", raw.columns, sources)
    else:
        source = sources.transactions
        copied = copies.copy(engine, source, "transactions", matching.chooser("transactions", sources))
        files = places.find(copied, remote=engine.reads_remote)
        with _named_as_given(source, copied):
            raw, found = OPENERS[files.format](engine, files, "transactions", sources)
    _refuse_dates_elsewhere(engine, found.preset, sources.transactions)
    prepared = raw_cells.prepare(raw, found.preset, found.named, sources.dialect) if found.preset else raw
    formed = _parsed(engine, "transactions", prepared, found.named, sources, as_of, is_stored=True)
    return OpenedTable(*formed, found.preset)


def _refuse_dates_elsewhere(engine: Engine, preset: Preset | None, source: str) -> None:
    if preset and preset.date_format and engine.folder is None:
        what = f"times of the preset {preset.name!r} have a form that is read on one machine only"
        hint = "read it with --engine duckdb, or write the times as 2024-01-31T12:30:00"
        raise errors.SourceUnreadable(what, first=addresses.redact(source), hint=hint)


def _as_it_is(engine: Engine, file: str, sources: Sources) -> ibis.Table:
    """All columns of one file."""
    files = places.find(file)
    if files.format != "text":
        return engine.parquet(files.paths) if files.format == "parquet" else engine.json(files.paths)
    header = text_files.header(files, sources.dialect)
    paths = _as_utf8(engine, files.paths, pathlib.Path(file).stem, header)
    return engine.text(paths, header.columns, header.delimiter, skipped=header.skipped)


def _parsed(
    engine: Engine,
    table: str,
    raw: ibis.Table,
    named: Mapping[str, str],
    sources: Sources,
    as_of: datetime.date | None,
    *,
    is_stored: bool,
) -> FormedRows:
    parsed = validation.parse(raw, table, named, sources.dialect)
    if not is_stored and not _is_slow(raw, table, named):
        return FormedRows(local_time.move(engine, parsed, sources.dialect.timezone), ())
    stored = engine.store(f"{table}_read", parsed)
    formed = forms.read(engine, stored, table, named, sources.dialect, as_of)
    is_changed = formed.notes or sources.dialect.timezone
    return formed._replace(rows=engine.store(f"{table}_formed", formed.rows)) if is_changed else formed


def _is_slow(raw: ibis.Table, table: str, named: Mapping[str, str]) -> bool:
    """Whether a time or a number is text, or a time is a number."""
    kinds = {column.name: column.kind for column in columns.TABLES[table]}
    slow = [(kinds[ours], raw[given].type()) for ours, given in named.items() if kinds[ours] not in ("id", "label")]
    return any(given.is_string() or (kind == "time" and given.is_numeric()) for kind, given in slow)


@contextlib.contextmanager
def _named_as_given(source: str, copied: str) -> Iterator[None]:
    """An error about a copy names the source that the user gave."""
    try:
        yield
    except errors.BadInput as error:
        if copied != source and error.first:
            given = error.first.replace(copied, addresses.redact(source))
            raise type(error)(
                error.what, count=error.count, total=error.total, unit=error.unit, first=given, hint=error.hint
            ) from error
        raise


def _parquet(engine: Engine, files: places.SourceFiles, table: str, sources: Sources) -> tuple[ibis.Table, Match]:
    raw = engine.parquet(files.paths)
    return raw, matching.match(table, raw.columns, sources)


def _text(engine: Engine, files: places.SourceFiles, table: str, sources: Sources) -> tuple[ibis.Table, Match]:
    """The columns are matched by their names in the file; an engine may need others (see `Header.columns`).

    A column without a name, such as the row numbers that pandas writes, is left out."""
    dialect = sources.dialect
    header = text_files.header(files, dialect)
    try:
        found = matching.match(table, [name for name in header.names if name], sources)
    except errors.MissingColumn:
        header_faults.refuse(files, header, table, sources.columns, dialect.encoding)
        raise
    unique = dict(zip(header.names, header.columns, strict=True))
    paths = _as_utf8(engine, files.paths, table, header)
    raw = engine.text(paths, header.columns, header.delimiter, skipped=header.skipped, has_header=header.is_there)
    nameless = [column for name, column in zip(header.names, header.columns, strict=True) if not name]
    return raw.drop(*nameless), found._replace(named={ours: unique[given] for ours, given in found.named.items()})


def _json(engine: Engine, files: places.SourceFiles, table: str, sources: Sources) -> tuple[ibis.Table, Match]:
    """Objects of plain fields. A nested field that is needed is refused by its name, as a nested column is."""
    raw = engine.json(files.paths)
    try:
        return raw, matching.match(table, raw.columns, sources)
    except errors.MissingColumn:
        _refuse_nested(raw, files)
        raise


def _refuse_nested(raw: ibis.Table, files: places.SourceFiles) -> None:
    nested = [name for name, kind in raw.schema().items() if kind.is_nested()]
    if nested:
        raise errors.SourceUnreadable(
            f"required columns are missing, and {', '.join(map(repr, nested))} are nested",
            count=len(nested),
            total=len(raw.columns),
            unit="fields",
            first=f"{files.source}: {nested[0]}",
            hint=FLAT,
        )


OPENERS = {"parquet": _parquet, "text": _text, "json": _json}


def _as_utf8(engine: Engine, paths: Sequence[str], table: str, header: Header) -> Sequence[str]:
    if header.encoding == first_lines.UTF8:
        return paths
    if engine.folder is None:
        hint = f"write it as UTF-8: iconv -f {header.encoding} -t utf-8 FILE > FILE.utf8.csv"
        raise errors.SourceUnreadable("only UTF-8 is read by many machines", first=paths[0], hint=hint)
    targets = [engine.folder / f"{table}_{position}.csv" for position in range(len(paths))]
    return [transcoding.to_utf8(path, header.encoding, target) for path, target in zip(paths, targets, strict=True)]
