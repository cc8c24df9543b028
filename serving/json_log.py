"""Log records as one JSON object per line, without any value that a caller sent.

A fault is logged by its type and its place in the code: the message of an error may quote a value.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import traceback
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
        line: dict[str, Any] = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage() if is_safe else str(record.msg).partition("\n")[0],
            **getattr(record, "fields", {}),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line |= {"error": type(error).__name__, "frames": frames(error)}
        return json.dumps(line if record.name == NAME else {**line, "logger": record.name})


def frames(error: BaseException) -> list[str]:
    """The lines of code that an error passed through, innermost last, without any value."""
    return [f"{at.filename}:{at.lineno} in {at.name}" for at in traceback.extract_tb(error.__traceback__)]


def log_fault(error: BaseException, request_id: str) -> None:
    """Log an error of ours that no caller caused."""
    logger.error("fault", exc_info=error, extra={"fields": {"request_id": request_id}})
