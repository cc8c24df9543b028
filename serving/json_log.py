"""Log records as one JSON object per line, without any value that a caller sent.

A fault is logged by its type and its place in the code: the message of an error may quote a value.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
import traceback
from collections.abc import Mapping
from typing import Any

NAME = "bentoml.tiercast"
logger = logging.getLogger(NAME)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; newlines in it are escaped, so nobody can forge a line.

    Attributes: `at`, `level`, `message` and those of `extra={"fields": {...}}`; `error` and `frames` for an error.
    Warnings of other loggers may quote values, so their text is logged without its arguments.

    >>> record = logging.LogRecord("asyncio", logging.ERROR, "", 0, "cannot read %r", ("c-00917",), None)
    >>> json.loads(JsonFormatter().format(record))["message"]
    'cannot read %r'
    """

    def format(self, record: logging.LogRecord) -> str:
        is_safe = record.name == NAME or record.levelno < logging.WARNING
        fields: dict[str, Any] = {
            "level": record.levelname.lower(),
            "message": record.getMessage() if is_safe else str(record.msg).partition("\n")[0],
            **getattr(record, "fields", {}),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            fields |= {"error": type(error).__name__, "frames": frames(error)}
        return line(fields if record.name == NAME else {**fields, "logger": record.name}, record.created)


def line(fields: Mapping[str, Any], at: float | None = None) -> str:
    """One line of a log: the fields as a JSON object, with the time `at` (seconds since 1970; now if None) in front.

    >>> line({"level": "info"}, at=0.0)
    '{"at": "1970-01-01T00:00:00.000+00:00", "level": "info"}'
    """
    moment = dt.datetime.fromtimestamp(time.time() if at is None else at, dt.UTC)
    return json.dumps({"at": moment.isoformat(timespec="milliseconds"), **fields})


def frames(error: BaseException) -> list[str]:
    """The lines of code that an error passed through, innermost last, without any value."""
    return [f"{at.filename}:{at.lineno} in {at.name}" for at in traceback.extract_tb(error.__traceback__)]


def log_fault(error: BaseException, request_id: str) -> None:
    """Log an error of ours that no caller caused."""
    logger.error("fault", exc_info=error, extra={"fields": {"request_id": request_id}})
