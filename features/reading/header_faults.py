"""Explain a missing column: the first line of a CSV file may be no header at all."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from tiercast.contract import errors
from tiercast.features.reading import columns, first_lines, text_files
from tiercast.features.reading.sources import SourceFiles
from tiercast.features.reading.text_files import Header

DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T].*)?|\d{4}年.*")
NUMBER = re.compile(r"[-+]?\d[\d.,]*")
QUOTED = 80
FEWEST_NAMES = 2


def refuse(files: SourceFiles, header: Header, table: str, renames: Mapping[str, str], encoding: str) -> None:
    """Raise `SourceUnreadable` where the header is further down, or where the first line is a row of data."""
    if not header.is_there:
        return
    path = files.paths[0]
    lines = first_lines.read(path, encoding).lines
    here, wanted = header.skipped + 1, _wanted(table, renames)
    place = f"{path}, line {here}: {lines[header.skipped][:QUOTED]}"
    below = next((n for n, line in enumerate(lines[here:], start=here + 1) if _is_header(line, wanted)), None)
    if below is not None:
        raise errors.SourceUnreadable(
            f"the header is on line {below}, below other lines",
            first=place,
            hint=f"remove the lines above it: tail -n +{below} FILE > FILE.table.csv",
        )
    if _is_data(header.names):
        raise errors.SourceUnreadable(
            "the file has no header: its first line is a row of data",
            first=place,
            hint="--header none --column customer_id=column_1 --column ordered_at=column_2 --column amount=column_3, "
            "with the columns' places in the file",
        )


def _wanted(table: str, renames: Mapping[str, str]) -> set[str]:
    required = {column.name for column in columns.TABLES[table] if column.is_required}
    return required | set(renames.values())


def _is_header(line: str, wanted: Collection[str]) -> bool:
    cells = (set(text_files.split(line, delimiter)) for delimiter in text_files.DELIMITERS)
    return any(len(names & set(wanted)) >= FEWEST_NAMES for names in cells)


def _is_data(names: Collection[str]) -> bool:
    """Whether a name is a date, or all are numbers."""
    return any(DATE.fullmatch(name) for name in names) or all(NUMBER.fullmatch(name) for name in names)
