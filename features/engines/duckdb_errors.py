"""What DuckDB's errors mean to the person who passed the file."""

from __future__ import annotations

import re

import duckdb

from tiercast.contract import errors, places

# A query that DuckDB refuses as such is a mistake of ours, and must not be blamed on the file.
OURS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException, duckdb.ParserException)
NO_ROOM = re.compile(r"no space left|max_temp_directory_size|disk quota|file too large", re.IGNORECASE)
LINE = re.compile(r"CSV Error on Line: (\d+)\nOriginal Line: ?(.*)$", re.MULTILINE)
EXPLAINED = re.compile(
    r"^(Expected Number of Columns|Value with unterminated quote|Invalid unicode|Maximum line size).*$", re.MULTILINE
)
HINTS = (
    (re.compile("invalid unicode", re.IGNORECASE), "write it as UTF-8: iconv -f latin1 -t utf-8 FILE > FILE.utf8.csv"),
    (EXPLAINED, "mend or remove that line, then run again"),
    (re.compile("permission denied", re.IGNORECASE), "give this user the right to read it"),
)
REWRITE = "write the file again from its source; it may have been cut off while it was copied"
QUOTED_SIGNS = 80


def of(error: duckdb.Error, source: str) -> errors.TiercastError:
    """The error to raise instead of DuckDB's own, which stays its cause."""
    return of_room(error, source) or _of_source(str(error), places.shown(source))


def of_room(error: duckdb.Error, place: str) -> errors.TiercastError | None:
    """The error for a full disk or a full memory, or None when it is about something else."""
    if NO_ROOM.search(str(error)):
        return errors.CannotWrite(
            "the disk is full", first=place, hint="free some space, or set TMPDIR to a folder on a larger disk"
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return errors.CannotWrite(
            "the memory limit is too small for this step",
            first=place,
            hint="raise the memory limit or use fewer threads",
        )
    return None


def _of_source(said: str, source: str) -> errors.SourceUnreadable:
    line = LINE.search(said)
    where = f"{source}, line {line[1]}: {line[2][:QUOTED_SIGNS]}" if line else source
    hint = next((hint for pattern, hint in HINTS if pattern.search(said)), REWRITE)
    return errors.SourceUnreadable(f"the source cannot be read: {_gist(said)}", first=where, hint=hint)


def _gist(said: str) -> str:
    """The sentence of DuckDB's message that says what is wrong, without the name of its class."""
    explained = EXPLAINED.search(said)
    return explained[0] if explained else re.sub(r"^[A-Za-z ]+ Error: ", "", said.strip()).splitlines()[0].strip()
