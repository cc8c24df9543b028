"""Open a source table: find its files, match its columns, parse every cell."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Mapping, Sequence

import ibis

from tiercast.contract import addresses, errors
from tiercast.features.engines import Engine
from tiercast.features.reading import (
    columns,
    copies,
    first_lines,
    forms,
    header_faults,
    text_files,
    transcoding,
    validation,
)
from tiercast.features.reading import sources as places
from tiercast.features.reading.forms import FormedRows
from tiercast.features.reading.sources import Sources
from tiercast.features.reading.text_files import Header

FLAT = 'write flat objects, one per line: {"customer_id": "7", "ordered_at": "2024-01-31", "amount": 12.5}'


def open_table(engine: Engine, table: str, sources: Sources, as_of: datetime.date | None) -> FormedRows:
    """The parsed rows of one input table (see `validation.parse` and `forms`). Rows on or after `as_of` decide nothing.

    Parquet is read in place. Parsing text is slow: CSV, JSON, and Parquet with times or amounts as text, are parsed
    once and stored as Parquet in the engine's folder. What no engine reads is copied there once: see `copies`.
    """
    source = getattr(sources, table)
    copied = copies.copy(engine, source, table, chooser(table, sources))
    files = places.find(copied, remote=engine.reads_remote)
    with _named_as_given(source, copied):
        raw, named = OPENERS[files.format](engine, files, table, sources)
    parsed = validation.parse(raw, table, named, sources.dialect)
    if files.format == "parquet" and not _is_slow(raw, table, named):
        return FormedRows(parsed, ())
    stored = engine.store(f"{table}_read", parsed)
    formed = forms.read(engine, stored, table, named, sources.dialect, as_of)
    return formed._replace(rows=engine.store(f"{table}_formed", formed.rows)) if formed.notes else formed


def _is_slow(raw: ibis.Table, table: str, named: Mapping[str, str]) -> bool:
    """Whether a time or a number is text, or a time is a number."""
    kinds = {column.name: column.kind for column in columns.TABLES[table]}
    slow = [(kinds[ours], raw[given].type()) for ours, given in named.items() if kinds[ours] not in ("id", "label")]
    return any(given.is_string() or (kind == "time" and given.is_numeric()) for kind, given in slow)


def chooser(table: str, sources: Sources) -> copies.Choose:
    """Picks the columns that `table` needs; of customers all, for any may be an attribute. Raises `MissingColumn`."""

    def choose(names: Sequence[str]) -> list[str]:
        needed = columns.match(table, names, sources.columns).values()
        return list(names) if table == "customers" else list(dict.fromkeys(needed))

    return choose


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


def _parquet(
    engine: Engine, files: places.SourceFiles, table: str, sources: Sources
) -> tuple[ibis.Table, dict[str, str]]:
    raw = engine.parquet(files.paths)
    return raw, columns.match(table, raw.columns, sources.columns)


def _text(engine: Engine, files: places.SourceFiles, table: str, sources: Sources) -> tuple[ibis.Table, dict[str, str]]:
    """The columns are matched by their names in the file; an engine may need others (see `Header.columns`).

    A column without a name, such as the row numbers that pandas writes, is left out."""
    dialect = sources.dialect
    header = text_files.header(files, dialect)
    try:
        named = columns.match(table, [name for name in header.names if name], sources.columns)
    except errors.MissingColumn:
        header_faults.refuse(files, header, table, sources.columns, dialect.encoding)
        raise
    unique = dict(zip(header.names, header.columns, strict=True))
    paths = _as_utf8(engine, files.paths, table, header)
    raw = engine.text(paths, header.columns, header.delimiter, skipped=header.skipped, has_header=header.is_there)
    nameless = [column for name, column in zip(header.names, header.columns, strict=True) if not name]
    return raw.drop(*nameless), {ours: unique[given] for ours, given in named.items()}


def _json(engine: Engine, files: places.SourceFiles, table: str, sources: Sources) -> tuple[ibis.Table, dict[str, str]]:
    """Objects of plain fields. A nested field that is needed is refused by its name, as a nested column is."""
    raw = engine.json(files.paths)
    try:
        return raw, columns.match(table, raw.columns, sources.columns)
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
