"""The log: one JSON object a line, and nothing in it that a caller sent.

BentoML logs every refusal with its traceback, and pydantic's message in it quotes what was sent. What went wrong and
where in the code is enough to find a fault; the values are not needed and not ours to keep.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import traceback
from typing import Any

import pydantic

OURS = "bentoml.tiercast"
VENDORS = ("bentoml", "uvicorn", "uvicorn.error", "circus", "")
REFUSALS = "bentoml._internal.server.http_app"  # BentoML 1.4: `log_exception`
log = logging.getLogger(OURS)


def frames(error: BaseException) -> list[str]:
    """Where an error was raised, innermost last, without a value."""
    return [f"{at.filename}:{at.lineno} in {at.name}" for at in traceback.extract_tb(error.__traceback__)]


class AsJson(logging.Formatter):
    """A record as one line of JSON; newlines in it are escaped, so no line can be forged.

    An error is told by its type and place, for its message may quote a value. So may a vendor's warning: of those, the
    text is told without what was filled in.

    >>> record = logging.LogRecord("asyncio", logging.ERROR, "", 0, "cannot read %r", ("c-00917",), None)
    >>> json.loads(AsJson().format(record))["message"]
    'cannot read %r'
    """

    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        is_told = record.name == OURS or record.levelno < logging.WARNING
        message = record.getMessage() if is_told else str(record.msg).partition("\n")[0]
        told: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "message": message}
        told |= getattr(record, "told", {})
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            told |= {"error": type(error).__name__, "frames": frames(error)}
        return json.dumps(told if record.name == OURS else {**told, "logger": record.name})


class NoRefusals(logging.Filter):
    """Leaves out what BentoML logs of a request that does not fit: the gate has a line for it."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], pydantic.ValidationError))


def fault(error: BaseException, request_id: str) -> None:
    """Log that something went wrong on our side."""
    log.error("fault", exc_info=error, extra={"told": {"request_id": request_id}})


def hush() -> None:
    """Make every log of this process speak so, once."""
    logger = logging.getLogger(REFUSALS)
    if not any(isinstance(kept, NoRefusals) for kept in logger.filters):
        logger.addFilter(NoRefusals())
    for name in VENDORS:
        for handler in logging.getLogger(name).handlers:
            if type(handler) is logging.StreamHandler:
                handler.setFormatter(AsJson())
