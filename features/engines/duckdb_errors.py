"""Translate DuckDB's errors into ours: the source that cannot be read, or the place that is full."""

from __future__ import annotations

import re

import duckdb

from tiercast.contract import addresses, errors
from tiercast.features.engines import text_encoding

# DuckDB refuses the query itself: a fault of our code, not of the file.
IN_FILE = "Conversion Error: Error while reading file"
QUERY_ERRORS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException, duckdb.ParserException)
REPORT = "run again with the table exported to Parquet or plain CSV, and report this message with its first lines"
NO_SPACE = re.compile(r"no space left|max_temp_directory_size|disk quota|file too large", re.IGNORECASE)
LINE = re.compile(r"CSV Error on Line: (\d+)\nOriginal Line: ?(.*)$", re.MULTILINE)
EXPLAINED = re.compile(
    r"^(Expected Number of Columns|Value with unterminated quote|Invalid unicode|Maximum line size).*$", re.MULTILINE
)
INVALID_UNICODE = re.compile("invalid unicode", re.IGNORECASE)
FILE = re.compile(r"^ *file ?= ?(.+?)$", re.MULTILINE)
HINTS = (
    (
        re.compile("failed to cast column"),
        "the files have different types: convert them to one type",
    ),
    (re.compile("schema mismatch in glob"), "the files have different columns: pass files of one kind"),
    (
        re.compile("state machine reached an invalid state"),
        "its lines may end in different ways; make them alike: tr -d '\\r' < FILE > FILE.lf.csv",
    ),
    (EXPLAINED, "mend or remove that line, then run again"),
    (re.compile("permission denied", re.IGNORECASE), "give this user the right to read it"),
)
REWRITE = "write the file again from its source; it may have been cut off while it was copied"
QUOTED_SIGNS = 80


def translate(error: duckdb.Error, source: str) -> errors.TiercastError:
    """The error to raise instead of DuckDB's own, which stays its cause."""
    return translate_no_space(error, source) or _from_message(str(error), addresses.redact(source))


def is_of_query(error: duckdb.Error) -> bool:
    """Whether DuckDB refused the query, and no file; files of unlike types are a fault of the files."""
    return isinstance(error, QUERY_ERRORS) and not str(error).startswith(IN_FILE)


def translate_late(error: Exception) -> errors.TiercastError | None:
    """Ours for an error of DuckDB outside of reading, with no source known; None for another library's."""
    if not isinstance(error, duckdb.Error):
        return None
    if is_of_query(error):
        return errors.EngineFailed(f"the data engine refused a query: {_reason(str(error))}", hint=REPORT)
    return translate(error, "the input tables")


def translate_no_space(error: duckdb.Error, place: str) -> errors.TiercastError | None:
    """The error for a full disk or a full memory, or None for any other error."""
    if NO_SPACE.search(str(error)):
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


def _from_message(message: str, source: str) -> errors.SourceUnreadable:
    line = LINE.search(message)
    where = f"{source}, line {line[1]}: {line[2][:QUOTED_SIGNS]}" if line else source
    hint = next((hint for pattern, hint in HINTS if pattern.search(message)), REWRITE)
    if INVALID_UNICODE.search(message):
        file = FILE.search(message)
        hint = text_encoding.propose(file[1].strip() if file else source)
    return errors.SourceUnreadable(f"the source cannot be read: {_reason(message)}", first=where, hint=hint)


def _reason(message: str) -> str:
    """The sentence of DuckDB's message that says what is wrong, without the name of its class."""
    explained = EXPLAINED.search(message)
    return explained[0] if explained else re.sub(r"^[A-Za-z ]+ Error: ", "", message.strip()).splitlines()[0].strip()
