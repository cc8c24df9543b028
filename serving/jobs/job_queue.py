"""The queue of batch jobs, as callers use it: submit a job, look jobs up, cancel one."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from tiercast.contract import errors
from tiercast.serving.jobs import job, states
from tiercast.serving.jobs.job import BatchJob
from tiercast.serving.store import database, migrations, tables

_j = tables.jobs.c
LOCK = 7_420_163  # any number: one change of the queue at a time, in a PostgreSQL store


class JobSpec(NamedTuple):
    """What a caller wants scored. The same `idempotency_key` of the same caller always means the same job."""

    source: str
    as_of: dt.date
    options: dict[str, Any]
    submitted_by: str
    idempotency_key: str | None = None


class Submitted(NamedTuple):
    """`is_new` is false where the caller had submitted this job before, under the same key."""

    job: BatchJob
    is_new: bool


class Cancelled(NamedTuple):
    """`has_ended` is true where this call ended the job: it was still queued."""

    job: BatchJob
    has_ended: bool


@functools.lru_cache(maxsize=4)
def open_store(url: str) -> Engine:
    """The store at `url` with its tables, opened once per process. Raises `StoreUnavailable` and `StoreRefused`."""
    engine = database.open(url, create=True)
    migrations.prepare(engine)
    return engine


def submit(engine: Engine, spec: JobSpec, max_queued: int) -> Submitted:
    """Append a job to the queue. Raises `QueueFull`, and `KeyReused` for a key that belongs to other work."""
    with database.write_transaction(engine) as connection:
        lock(connection)
        known = _with_same_key(connection, spec)
        if known is not None:
            return Submitted(known, is_new=False)
        if (n := _count_queued(connection)) >= max_queued:
            hint = "wait until some have run, or cancel those that are not needed"
            raise errors.QueueFull("jobs wait already", count=n, total=max_queued, unit="places", hint=hint)
        row = {**spec._asdict(), "job_id": job.new_id(), "state": "queued", "submitted_at": job.now()}
        connection.execute(tables.jobs.insert().values(**row, attempts=0, progress=0.0))
        return Submitted(_get(connection, row["job_id"]), is_new=True)


def get(engine: Engine, job_id: str) -> BatchJob:
    """One job. Raises `JobUnknown`."""
    with database.read_transaction(engine) as connection:
        return _get(connection, job_id)


def latest(engine: Engine, limit: int = 100) -> list[BatchJob]:
    """The newest jobs, newest first."""
    query = job.SELECT.order_by(_j.submitted_at.desc(), _j.job_id).limit(limit)
    with database.read_transaction(engine) as connection:
        return [job.from_row(row) for row in connection.execute(query)]


def count_queued(engine: Engine) -> int:
    with database.read_transaction(engine) as connection:
        return _count_queued(connection)


def cancel(engine: Engine, job_id: str) -> Cancelled:
    """Cancel a queued job at once, a running one as soon as its process stops. Raises `JobUnknown`, `JobOver`."""
    with database.write_transaction(engine) as connection:
        update = sa.update(tables.jobs).where(_j.job_id == job_id)
        queued = update.where(_j.state == "queued").values(state="cancelled", finished_at=job.now())
        has_ended = connection.execute(queued).rowcount == 1
        connection.execute(update.where(_j.state == "running").values(state="cancelling"))
        cancelled = _get(connection, job_id)
    if cancelled.state in ("done", "failed"):
        raise errors.JobOver("the job has ended already", hint="nothing is left to cancel; look at its status")
    return Cancelled(cancelled, has_ended)


def delete_ended(engine: Engine, before: dt.datetime) -> int:
    """Delete the jobs that ended before a moment; returns their number."""
    old = sa.delete(tables.jobs).where(_j.state.in_(states.ENDED), _j.finished_at < before)
    with database.write_transaction(engine) as connection:
        return connection.execute(old).rowcount


def lock(connection: Connection) -> None:
    """Keep other transactions from counting or claiming until this one ends. SQLite has one writer in any case."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def _count_queued(connection: Connection) -> int:
    return connection.scalar(sa.select(sa.func.count()).where(_j.state == "queued")) or 0


def _with_same_key(connection: Connection, spec: JobSpec) -> BatchJob | None:
    """The caller's job with the same idempotency key. Raises `KeyReused` where that job is another one."""
    if spec.idempotency_key is None:
        return None
    same_key = (_j.submitted_by == spec.submitted_by, _j.idempotency_key == spec.idempotency_key)
    row = connection.execute(job.SELECT.where(*same_key)).one_or_none()
    if row is None:
        return None
    known = job.from_row(row)
    if (known.source, known.as_of, known.options) != (spec.source, spec.as_of, spec.options):
        hint = "use a new key for other work; the job of this key is unchanged"
        raise errors.KeyReused("this key already stands for a job with other settings", first=known.job_id, hint=hint)
    return known


def _get(connection: Connection, job_id: str) -> BatchJob:
    row = connection.execute(job.SELECT.where(_j.job_id == job_id)).one_or_none()
    if row is None:
        raise errors.JobUnknown("there is no such job", hint="GET /v1/jobs lists those that are kept")
    return job.from_row(row)
