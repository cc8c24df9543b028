"""CSV files: their header, delimiter and encoding, decided from the header line alone.

Data rows have no influence: a broken line is an error with its number.
"""

from __future__ import annotations

import csv
import gzip
import pathlib
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.features.reading.sources import SourceFiles

DELIMITERS = ",;\t|"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Header(NamedTuple):
    """Column names in file order, and the delimiter between them."""

    names: tuple[str, ...]
    delimiter: str


def header(files: SourceFiles) -> Header:
    """The one header that all files share. Raises `SourceUnreadable` where a file has another, or none."""
    first, *others = (_header(path) for path in files.paths)
    for path, other in zip(files.paths[1:], others, strict=True):
        if other != first:
            raise errors.SourceUnreadable(
                f"the files have different columns: {list(other.names)} here, {list(first.names)} in {files.paths[0]}",
                first=path,
                hint="pass files of one kind, or write them again with the same header",
            )
    return first


def _header(path: str) -> Header:
    line = _first_line(path)
    delimiter = max(DELIMITERS, key=lambda sign: (len(_split(line, sign)), -DELIMITERS.index(sign)))
    names = tuple(name.strip() for name in _split(line, delimiter))
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise errors.SourceUnreadable(
            f"the header has the column {twice!r} {names.count(twice)} times",
            first=f"{path}, line 1",
            hint="give every column a name of its own",
        )
    return Header(names, delimiter)


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _first_line(path: str) -> str:
    try:
        with gzip.open(path) if path.endswith(".gz") else pathlib.Path(path).open("rb") as file:
            line = file.readline()
    except (OSError, EOFError) as error:
        raise errors.SourceUnreadable(
            f"the file cannot be unpacked: {error}", first=path, hint="write it again from its source"
        ) from error
    return _decoded(line, path)


def _decoded(line: bytes, path: str) -> str:
    try:
        if line.startswith(UTF16_MARKS):
            raise UnicodeError("it is UTF-16")
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeError as error:
        raise errors.SourceUnreadable(
            f"the file is not UTF-8: {error}",
            first=f"{path}, line 1",
            hint="write it as UTF-8, for example: iconv -f latin1 -t utf-8 FILE > FILE.utf8.csv",
        ) from error
    if not text.strip():
        raise errors.SourceUnreadable(
            "the first line is blank", first=f"{path}, line 1", hint="start with a header line"
        )
    return text
