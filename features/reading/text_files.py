"""CSV files: their header, delimiter and encoding, decided from the first line alone.

Data rows have no influence: a broken line is an error with its number.
"""

from __future__ import annotations

import csv
import re
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.features.reading import first_lines
from tiercast.features.reading.dialect import Dialect
from tiercast.features.reading.first_lines import FirstLines
from tiercast.features.reading.sources import SourceFiles

DELIMITERS = ",;\t|"
DELIMITER_LINE = re.compile(r"\"?sep=(.)\"?[,;\t|]*")  # Excel's own first line: sep=;


class Header(NamedTuple):
    """Column names in file order, the delimiter, the lines above the header (0 or 1) and the encoding.

    Where the header `is_there` not, the names are column_1, column_2 and so on.
    """

    names: tuple[str, ...]
    delimiter: str
    skipped: int = 0
    encoding: str = first_lines.UTF8
    is_there: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """A name per column that an engine can tell apart: none is blank, and none equals another but for case."""
        unique: dict[str, str] = {}
        for position, name in enumerate(self.names, start=1):
            new = name or f"column_{position}"
            while new.lower() in unique:
                new = f"{new}_{position}"
            unique[new.lower()] = new
        return tuple(unique.values())


def header(files: SourceFiles, dialect: Dialect) -> Header:
    """The one header that all files share. Raises `SourceUnreadable` where a file has another, or none."""
    first, *others = (_header(path, dialect) for path in files.paths)
    for path, other in zip(files.paths[1:], others, strict=True):
        if other != first:
            raise errors.SourceUnreadable(
                _difference(other, first, files.paths[0]),
                first=path,
                hint="pass files of one kind, or write them again with the same header",
            )
    return first


def _difference(other: Header, first: Header, path: str) -> str:
    if other.names != first.names:
        return f"the files have different columns: {list(other.names)} here, {list(first.names)} in {path}"
    return f"the files have different delimiters or encodings: {list(other[1:])} here, {list(first[1:])} in {path}"


def split(line: str, delimiter: str) -> list[str]:
    """The cells of one line."""
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _header(path: str, dialect: Dialect) -> Header:
    start = first_lines.read(path, dialect.encoding)
    given = DELIMITER_LINE.fullmatch(start.lines[0])
    skipped = 1 if given else 0
    line = _line(start, skipped, path)
    delimiter = dialect.delimiter or (given[1] if given else _delimiter(line))
    names = tuple(split(line, delimiter))
    if dialect.header == "none":
        names = tuple(f"column_{position}" for position in range(1, len(names) + 1))
    _refuse_duplicates(names, f"{path}, line {skipped + 1}")
    return Header(names, delimiter, skipped, start.encoding, is_there=dialect.header != "none")


def _delimiter(line: str) -> str:
    """The sign that makes the most columns; the usual one of equals."""
    return max(DELIMITERS, key=lambda sign: (len(split(line, sign)), -DELIMITERS.index(sign)))


def _line(start: FirstLines, skipped: int, path: str) -> str:
    line = start.lines[skipped] if len(start.lines) > skipped else ""
    if not line.strip():
        number, which = skipped + 1, ("first", "second")[skipped]
        what = f"the {which} line is blank"
        raise errors.SourceUnreadable(what, first=f"{path}, line {number}", hint="start with a header line")
    return line


def _refuse_duplicates(names: tuple[str, ...], place: str) -> None:
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise errors.SourceUnreadable(
            f"the header has the column {twice!r} {names.count(twice)} times",
            first=place,
            hint="give every column a name of its own",
        )
