"""Write a text file again as UTF-8, which is all that the engines read."""

from __future__ import annotations

import gzip
import io
import pathlib
import shutil

from tiercast.contract import errors

CHUNK = 1 << 20


def to_utf8(path: str, encoding: str, target: pathlib.Path) -> str:
    """Write `path` (text, or text in gzip) to `target` as UTF-8, and return its path. Line ends stay.

    Raises `SourceUnreadable` where a byte is not of `encoding`, and `CannotWrite`.
    """
    try:
        with gzip.open(path) if path.lower().endswith(".gz") else pathlib.Path(path).open("rb") as packed:
            text = io.TextIOWrapper(packed, encoding=encoding, newline="")
            _copy(text, target)
    except UnicodeError as error:
        hint = "write it again from its source as UTF-8"
        raise errors.SourceUnreadable(f"the file is not {encoding}: {error}", first=path, hint=hint) from error
    return str(target)


def _copy(text: io.TextIOWrapper, target: pathlib.Path) -> None:
    try:
        with target.open("w", encoding="utf-8", newline="") as file:
            shutil.copyfileobj(text, file, CHUNK)
    except (OSError, EOFError) as error:
        hint = "free some space, or set TMPDIR to a folder on a larger disk"
        raise errors.CannotWrite(
            f"the copy as UTF-8 cannot be written: {error}", first=str(target), hint=hint
        ) from error
