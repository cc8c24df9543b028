"""One batch job as the store keeps it, and its states.

    queued ──> running ──> done
       │          ├──────> failed
       │          └──> cancelling ──> cancelled      (or done, if its scores were served already)
       └──────────────────────────────────^

A running job is queued again when its process dies or its service stops.
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


class BatchJob(NamedTuple):
    """`progress` is in [0, 1]; `claim`, `host` and `pid` identify the process of a running job."""

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
    def has_ended(self) -> bool:
        return self.state in states.ENDED


SELECT = sa.select(*(tables.jobs.c[name] for name in BatchJob._fields))


def from_row(row: Row[Any]) -> BatchJob:
    """The job in a row of `SELECT`."""
    return BatchJob._make(row)


def new_id() -> str:
    """A random id.

    >>> len(new_id()), new_id() == new_id()
    (20, False)
    """
    return f"job_{secrets.token_hex(8)}"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
