"""What callers do with jobs: ask for one, look at them, call one off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from tiercast.contract import errors
from tiercast.serving.jobs import job, states
from tiercast.serving.jobs.job import Job
from tiercast.serving.jobs.states import State
from tiercast.serving.store import database, tables

_j = tables.jobs.c
LOCK = 7_420_163  # any number: one change of the line of jobs at a time, in a PostgreSQL store


class Asked(NamedTuple):
    """What a job is asked to do. The same `idempotency_key` of the same caller always means the same job."""

    source: str
    as_of: dt.date
    options: dict[str, Any]
    submitted_by: str
    idempotency_key: str | None = None


class Submitted(NamedTuple):
    """`is_new` is false where this caller had asked under this key before."""

    job: Job
    is_new: bool


class Cancelled(NamedTuple):
    """`is_over_now` is true where this call ended the job: it waited, and nobody had called it off before."""

    job: Job
    is_over_now: bool


def submit(engine: Engine, asked: Asked, most_queued: int) -> Submitted:
    """Put a job at the end of the line. Raises `QueueFull`, and `KeyReused` for a key that stands for other work."""
    with database.writing(engine) as connection:
        locked(connection)
        known = _known(connection, asked)
        if known is not None:
            return Submitted(_same(known, asked), is_new=False)
        if (n := _waiting(connection)) >= most_queued:
            hint = "wait until some have run, or cancel those that nobody needs"
            raise errors.QueueFull("jobs wait already", count=n, total=most_queued, unit="places", hint=hint)
        row = {**asked._asdict(), "job_id": job.new_id(), "state": "queued", "submitted_at": job.now()}
        connection.execute(tables.jobs.insert().values(**row, attempts=0, progress=0.0))
        return Submitted(_one(connection, row["job_id"]), is_new=True)


def find(engine: Engine, job_id: str) -> Job:
    """One job. Raises `JobUnknown`."""
    with database.reading(engine) as connection:
        return _one(connection, job_id)


def listed(engine: Engine, states: Sequence[State] = (), most: int = 100) -> list[Job]:
    """The jobs in one of these states (none: in any), the newest first."""
    asked = job.SELECT.order_by(_j.submitted_at.desc(), _j.job_id).limit(most)
    if states:
        asked = asked.where(_j.state.in_(states))
    with database.reading(engine) as connection:
        return [job.of_row(row) for row in connection.execute(asked)]


def waiting(engine: Engine) -> int:
    """How many jobs wait."""
    with database.reading(engine) as connection:
        return _waiting(connection)


def cancel(engine: Engine, job_id: str) -> Cancelled:
    """Call a job off: at once if it waits, else its runner ends it soon. Raises `JobUnknown`, and `JobOver`."""
    with database.writing(engine) as connection:
        this = sa.update(tables.jobs).where(_j.job_id == job_id)
        over = this.where(_j.state == "queued").values(state="cancelled", finished_at=job.now())
        is_over_now = connection.execute(over).rowcount == 1
        connection.execute(this.where(_j.state == "running").values(state="cancelling"))
        found = _one(connection, job_id)
    if found.state in ("done", "failed"):
        raise errors.JobOver("the job has ended already", hint="nothing is left to cancel; look at its status")
    return Cancelled(found, is_over_now)


def forget(engine: Engine, before: dt.datetime) -> int:
    """Remove the jobs that ended before a moment; how many those were."""
    old = sa.delete(tables.jobs).where(_j.state.in_(states.OVER), _j.finished_at < before)
    with database.writing(engine) as connection:
        return connection.execute(old).rowcount


def locked(connection: Connection) -> None:
    """Nobody else counts or claims until the transaction ends. A SQLite writer is alone in any case."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def _waiting(connection: Connection) -> int:
    return connection.scalar(sa.select(sa.func.count()).where(_j.state == "queued")) or 0


def _known(connection: Connection, asked: Asked) -> Job | None:
    if asked.idempotency_key is None:
        return None
    mine = (_j.submitted_by == asked.submitted_by, _j.idempotency_key == asked.idempotency_key)
    row = connection.execute(job.SELECT.where(*mine)).one_or_none()
    return None if row is None else job.of_row(row)


def _same(known: Job, asked: Asked) -> Job:
    if (known.source, known.as_of, known.options) != (asked.source, asked.as_of, asked.options):
        hint = "use a new key for other work; the job of this key is unchanged"
        raise errors.KeyReused("this key already stands for a job with other settings", first=known.job_id, hint=hint)
    return known


def _one(connection: Connection, job_id: str) -> Job:
    row = connection.execute(job.SELECT.where(_j.job_id == job_id)).one_or_none()
    if row is None:
        hint = "GET /v1/jobs lists those that are kept"
        raise errors.JobUnknown("there is no such job", hint=hint)
    return job.of_row(row)
