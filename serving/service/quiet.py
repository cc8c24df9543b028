"""Keeping callers' values out of the log.

BentoML logs every refusal with its traceback, and pydantic's message in it quotes what was sent. What went wrong and
where in the code is enough to find a fault; the values are not needed and not ours to keep.
"""

from __future__ import annotations

import logging
import traceback

import pydantic

LOGGER = "bentoml._internal.server.http_app"  # BentoML 1.4: `log_exception`


def told(error: BaseException) -> str:
    """The type of an error and where it was raised, without its message.

    >>> try:
    ...     float("c-00917")
    ... except ValueError as error:
    ...     print(told(error).splitlines()[0])
    ValueError while answering a request
    """
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
    return f"{type(error).__name__} while answering a request\n{''.join(frames)}"


class NoValues(logging.Filter):
    """Replaces an exception by its type and frames; leaves out refusals, which the gate logs in one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        if isinstance(error, pydantic.ValidationError):
            return False
        record.msg, record.args = told(error), ()
        record.exc_info = record.exc_text = None
        return True


def hush() -> None:
    """Install the filter once."""
    logger = logging.getLogger(LOGGER)
    if not any(isinstance(kept, NoValues) for kept in logger.filters):
        logger.addFilter(NoValues())
