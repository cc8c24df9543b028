"""The first lines of a CSV file, decoded: the header is decided from them."""

from __future__ import annotations

import codecs
import gzip
import pathlib
import re
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.features.engines import text_encoding

UTF8, UTF16 = "utf-8", "utf-16"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
LINES = 20
LONGEST = 1 << 20
LINE_END = re.compile(r"\r\n|\r|\n")


class FirstLines(NamedTuple):
    """At most `LINES` lines of one file without their ends, at least one, and the file's encoding."""

    lines: tuple[str, ...]
    encoding: str


def read(path: str, encoding: str = "") -> FirstLines:
    """The first lines. Raises `SourceUnreadable` where the file cannot be unpacked, or its first line decoded.

    `encoding` is that of a file without a mark; "" means UTF-8.
    """
    try:
        with gzip.open(path) if path.lower().endswith(".gz") else pathlib.Path(path).open("rb") as file:
            start = file.readline(LONGEST)
            used = _encoding(start, encoding)
            rest = [file.read(LONGEST)] if used != UTF8 else [file.readline(LONGEST) for _ in range(LINES)]
            start += b"".join(rest)
    except (OSError, EOFError) as error:
        raise errors.SourceUnreadable(
            f"the file cannot be unpacked: {error}", first=path, hint="write it again from its source"
        ) from error
    return FirstLines(_utf8(start, path) if used == UTF8 else _decode(start, used, path), used)


def _encoding(start: bytes, given: str) -> str:
    """The mark at a file's start wins over what was said of it."""
    if start.startswith(codecs.BOM_UTF8):
        return UTF8
    return UTF16 if start.startswith(UTF16_MARKS) else given or UTF8


def _utf8(start: bytes, path: str) -> tuple[str, ...]:
    """Only the first line must be UTF-8 here; a fault below it is an error of its own, with its number."""
    first = re.split(rb"[\r\n]", start, maxsplit=1)[0]
    try:
        first.decode("utf-8-sig")
    except UnicodeError as error:
        raise _undecodable(error, path) from error
    return _split(start.decode("utf-8-sig", errors="replace"))


def _decode(start: bytes, encoding: str, path: str) -> tuple[str, ...]:
    try:
        return _split(codecs.getincrementaldecoder(encoding)().decode(start))
    except UnicodeError as error:
        hint = "leave out --encoding, or name another: utf-8, gb18030, cp1252, latin-1"
        raise errors.SourceUnreadable(f"the file is not {encoding}: {error}", first=path, hint=hint) from error


def _split(text: str) -> tuple[str, ...]:
    return tuple(LINE_END.split(text, maxsplit=LINES)[:LINES])


def _undecodable(error: UnicodeError, path: str) -> errors.SourceUnreadable:
    return errors.SourceUnreadable(
        f"the file is not UTF-8: {error}", first=f"{path}, line 1", hint=text_encoding.propose(path)
    )
