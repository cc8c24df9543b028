"""One batch job as the store keeps it, and the states it goes through.

    queued ──> running ──> done
       │          ├──────> failed
       │          └──> cancelling ──> cancelled      (or done, if the scores were served already)
       └──────────────────────────────────^

A job whose runner died, or was told to stop with its service, is queued again.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Row

from tiercast.serving.jobs import states
from tiercast.serving.jobs.states import State
from tiercast.serving.store import tables


class Job(NamedTuple):
    """`progress` in [0, 1]; `claim`, `host` and `pid` say who runs it, while somebody does."""

    job_id: str
    source: str
    as_of: dt.date
    options: dict[str, Any]
    state: State
    submitted_by: str
    submitted_at: dt.datetime
    attempts: int
    claim: str | None
    host: str | None
    pid: int | None
    started_at: dt.datetime | None
    heartbeat_at: dt.datetime | None
    finished_at: dt.datetime | None
    step: str | None
    progress: float
    model: str | None
    result: dict[str, Any] | None
    generation_id: int | None
    error: dict[str, Any] | None

    @property
    def is_over(self) -> bool:
        return self.state in states.OVER


SELECT = sa.select(*(tables.jobs.c[name] for name in Job._fields))


def of_row(row: Row[Any]) -> Job:
    return Job._make(row)


def new_id() -> str:
    """An id that says nothing.

    >>> len(new_id()), new_id() == new_id()
    (20, False)
    """
    return f"job_{secrets.token_hex(8)}"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
