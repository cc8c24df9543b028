"""Check that text files are UTF-8, for an engine that does not."""

from __future__ import annotations

import gzip
import pathlib
from collections.abc import Sequence

from tiercast.contract import errors


def check(files: Sequence[str]) -> None:
    """Raise `SourceUnreadable` with the line of the first byte that is not UTF-8. Remote files are not checked."""
    for file in files:
        if "://" not in file:
            _check(file)


def _check(file: str) -> None:
    try:
        with gzip.open(file) if file.endswith(".gz") else pathlib.Path(file).open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.isascii():
                    _decode(line, file, number)
    except (OSError, EOFError) as error:
        hint = "write it again from its source; it may have been cut off while it was copied"
        raise errors.SourceUnreadable(f"the source cannot be read: {error}", first=file, hint=hint) from error


def _decode(line: bytes, file: str, number: int) -> None:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise errors.SourceUnreadable(
            "the source cannot be read: Invalid unicode",
            first=f"{file}, line {number}",
            hint="write it as UTF-8: iconv -f latin1 -t utf-8 FILE > FILE.utf8.csv",
        ) from error
