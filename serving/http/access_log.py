"""The logs of the service process: JSON lines, and nothing in them that a caller sent.

BentoML logs every refused request with its traceback, and pydantic's message in it quotes what was sent.
"""

from __future__ import annotations

import logging

import pydantic

from tiercast.serving.json_log import JsonFormatter

VENDORS = ("bentoml", "uvicorn", "uvicorn.error", "circus", "")
REFUSALS = "bentoml._internal.server.http_app"  # BentoML 1.4: `log_exception`


class DropRefusals(logging.Filter):
    """Drops what BentoML logs of a request that does not fit: the access log has a line for it."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], pydantic.ValidationError))


def configure() -> None:
    """Make every logger of this process write JSON lines; a second call changes nothing."""
    logger = logging.getLogger(REFUSALS)
    if not any(isinstance(kept, DropRefusals) for kept in logger.filters):
        logger.addFilter(DropRefusals())
    for name in VENDORS:
        for handler in logging.getLogger(name).handlers:
            if type(handler) is logging.StreamHandler:
                handler.setFormatter(JsonFormatter())
