"""What Spark's errors mean to the person who passed the file."""

from __future__ import annotations

import re

from py4j.protocol import Py4JJavaError
from pyspark.errors import (
    AnalysisException,
    ArithmeticException,
    NumberFormatException,
    ParseException,
    PySparkException,
)

from contract import errors

# A query that Spark refuses as such is a mistake of ours, and must not be blamed on the file.
OURS = (ParseException, ArithmeticException, NumberFormatException)
OF_THE_PLACE = ("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA", "UNSUPPORTED_DATA_SOURCE")
NO_ROOM = re.compile(r"no space left|disk quota", re.IGNORECASE)
NO_MEMORY = re.compile(r"OutOfMemoryError|Java heap space|UNABLE_TO_ACQUIRE_MEMORY")
RECORD = re.compile(r"Malformed records? (?:are|is) detected in record parsing: (.*?)\.?(?: Parse Mode|$)", re.DOTALL)
NAMED = re.compile(r"^\[[A-Z_.0-9]+\] ?")
FILE = re.compile(r"Encountered error while reading file (\S+?)\.? ")
HINT = "write the file again from its source; it may have been cut off while it was copied"
QUOTED_SIGNS = 80


def of(error: BaseException, source: str) -> errors.TiercastError | None:
    """The error to raise instead of Spark's own, which stays its cause; None where the fault is ours."""
    said = _said(error)
    if NO_ROOM.search(said):
        hint = "free some space on the workers, or set spark.local.dir to a larger disk"
        return errors.CannotWrite("the disk is full", first=source, hint=hint)
    if NO_MEMORY.search(said):
        hint = "give it more: --memory 4GB here, spark.executor.memory on a cluster"
        return errors.CannotWrite("the memory of Spark is too small for this step", first=source, hint=hint)
    if isinstance(error, OURS) or (isinstance(error, AnalysisException) and _code(error) not in OF_THE_PLACE):
        return None
    record = RECORD.search(said)
    if record:
        hint = "every line must have as many cells as the header; mend or remove that line, then run again"
        quoted = record[1].strip()[:QUOTED_SIGNS]
        what = "the source cannot be read: a line does not fit the header"
        return errors.SourceUnreadable(what, first=f"{source}: {quoted}", hint=hint)
    where = FILE.search(said)
    return errors.SourceUnreadable(
        f"the source cannot be read: {gist(error)}", first=where[1] if where else source, hint=HINT
    )


def gist(error: BaseException) -> str:
    """The sentence of Spark's message that says what is wrong."""
    lines = [line.strip() for line in _said(error).splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return NAMED.sub("", (causes or lines or [type(error).__name__])[-1 if causes else 0])


def _said(error: BaseException) -> str:
    """Spark's message with the causes that Java names below it."""
    if isinstance(error, Py4JJavaError):
        return str(error.java_exception.toString())
    trace = getattr(error, "_stackTrace", None) or ""
    causes = [line for line in str(trace).splitlines() if line.startswith("Caused by: ")]
    return "\n".join([str(error), *causes])


def _code(error: PySparkException) -> str:
    return (error.getCondition() or "").split(".")[0]
