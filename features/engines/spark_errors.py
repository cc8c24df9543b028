"""Translate Spark's errors into ours: the source that cannot be read, or the place that is full."""

from __future__ import annotations

import re
from collections.abc import Sequence

from py4j.protocol import Py4JJavaError
from pyspark.errors import (
    AnalysisException,
    ArithmeticException,
    NumberFormatException,
    ParseException,
    PySparkException,
)

from tiercast.contract import errors

# Spark refuses the query itself: a fault of our code, not of the file.
OURS = (ParseException, ArithmeticException, NumberFormatException)
SOURCE_CONDITIONS = ("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA", "UNSUPPORTED_DATA_SOURCE")
NO_SPACE = re.compile(r"no space left|disk quota", re.IGNORECASE)
NO_RIGHT = re.compile(r"PermissionError|Permission denied|Read-only file system")
TRACE = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t].*\n)*(\S.*)")
NO_MEMORY = re.compile(r"OutOfMemoryError|Java heap space|UNABLE_TO_ACQUIRE_MEMORY")
RECORD = re.compile(r"Malformed CSV record: (.*?)(?: SQLSTATE|$)", re.MULTILINE)
NAMED = re.compile(r"^(?:: )?(?:[a-z][\w.$]*\.[A-Z]\w*: )?(?:\[[A-Z_.0-9]+\] ?)?")
STATE = re.compile(r"\s*SQLSTATE: \w+$")
CALLED = re.compile(r"An error occurred while calling")
FILE = re.compile(r"Encountered error while reading file (\S+?)\.? ")
HINT = "write the file again from its source; it may have been cut off while it was copied"
QUOTED_SIGNS = 80


def translate(error: BaseException, source: str) -> errors.TiercastError | None:
    """The error to raise instead of Spark's own, which stays its cause; None for a fault of our code."""
    message = _message(error)
    if NO_SPACE.search(message):
        hint = "free some space on the workers, or set spark.local.dir to a larger disk"
        return errors.CannotWrite("the disk is full", first=source, hint=hint)
    if NO_RIGHT.search(message):
        hint = "give the user that Spark's workers run as the rights to that place"
        return errors.CannotWrite("the workers may not read or write there", first=source, hint=hint)
    if NO_MEMORY.search(message):
        hint = "give it more: --memory 4GB here, spark.executor.memory on a cluster"
        return errors.CannotWrite("the memory of Spark is too small for this step", first=source, hint=hint)
    if isinstance(error, OURS) or (isinstance(error, AnalysisException) and _code(error) not in SOURCE_CONDITIONS):
        return None
    record = RECORD.search(message)
    if record:
        hint = "every line must have as many cells as the header; mend or remove that line, then run again"
        quoted = record[1].strip()[:QUOTED_SIGNS]
        what = "the source cannot be read: a line does not fit the header"
        return errors.SourceUnreadable(what, first=f"{source}: {quoted}", hint=hint)
    where = FILE.search(message)
    if where or isinstance(error, AnalysisException):
        first = where[1] if where else source
        return errors.SourceUnreadable(f"the source cannot be read: {reason(error)}", first=first, hint=HINT)
    trace = TRACE.search(message)
    hint = "look into the logs of Spark's workers; nothing was written, so the same command can be run again"
    return errors.JobFailed(
        "Spark ended the job without a result", first=trace[1] if trace else reason(error), hint=hint
    )


def reason(error: BaseException) -> str:
    """The sentence of Spark's message that says what is wrong: of the innermost cause, without the names of classes."""
    lines = [line.strip() for line in _message(error).splitlines() if line.strip() and not CALLED.match(line)]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return STATE.sub("", NAMED.sub("", (causes[::-1] or lines or [type(error).__name__])[0]))


def _message(error: BaseException) -> str:
    """Spark's message with the causes that Java names below it."""
    if isinstance(error, Py4JJavaError):
        return str(error)  # with the whole stack
    trace = getattr(error, "_stackTrace", None) or ""
    causes = [line for line in str(trace).splitlines() if line.startswith("Caused by: ")]
    return "\n".join([str(error), *causes])


def _code(error: PySparkException) -> str:
    return (error.getCondition() or "").split(".")[0]


def elsewhere(what: str, file: str) -> errors.SourceUnreadable:
    """For a kind of file that is read on one machine only."""
    hint = "write it as Parquet first, or read it with --engine duckdb"
    return errors.SourceUnreadable(f"{what} not read by Spark here", first=file, hint=hint)


def refuse_skipped(files: Sequence[str], skipped: int) -> None:
    """Raise `SourceUnreadable` for CSV files with a line above the header, which Spark would take for the header."""
    if skipped:
        raise errors.SourceUnreadable(
            "Spark cannot skip the line above the header",
            first=files[0],
            hint="remove that line (tail -n +2 FILE > FILE.csv), or read the file with --engine duckdb",
        )
