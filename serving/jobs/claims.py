"""The queue as workers use it: claim a job, send heartbeats, end it, and recover the jobs of dead processes.

A claim is a random text in the job's row. A process may change the row only while its claim is still there, so a
process that was given up and wakes up again changes nothing.
"""

from __future__ import annotations

import datetime as dt
import os
import pathlib
import secrets
import signal
import socket
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tiercast.serving.jobs import job, job_queue, results, states
from tiercast.serving.jobs.job import BatchJob
from tiercast.serving.jobs.sources import QueueSettings
from tiercast.serving.jobs.states import State
from tiercast.serving.store import database, tables

_j = tables.jobs.c
HOST = socket.gethostname()
SILENCE = 4
"""Times `stale_seconds` without a heartbeat, after which even a process that seems alive is given up."""
UNCLAIMED: dict[str, Any] = {"state": "queued", "claim": None, "pid": None, "step": None, "progress": 0.0}


def claim_next(engine: Engine, sources: Collection[str], at_once: int) -> BatchJob | None:
    """Claim the job that has waited longest, and mark it as running; None if there is none.

    It is a job of one of `sources`. Two jobs of a source write the same file, so they never run at the same time.
    Nothing is claimed while `at_once` jobs run on this machine.
    """
    if not _is_any_queued(engine, sources):  # so that an idle service does not write to the store every second
        return None
    with database.write_transaction(engine) as connection:
        job_queue.lock(connection)
        here = sa.select(sa.func.count()).where(_j.state.in_(states.CLAIMED), _j.host == HOST)
        if (connection.scalar(here) or 0) >= at_once:
            return None
        busy = sa.select(_j.source).where(_j.state.in_(states.CLAIMED)).scalar_subquery()
        free = sa.select(_j.job_id).where(_j.state == "queued", _j.source.in_(sources), _j.source.not_in(busy))
        oldest = free.order_by(_j.submitted_at, _j.job_id).limit(1).scalar_subquery()
        owner = {"state": "running", "claim": secrets.token_hex(8), "host": HOST, "attempts": _j.attempts + 1}
        times = {"started_at": job.now(), "heartbeat_at": job.now(), "step": "starting"}
        update = sa.update(tables.jobs).where(_j.job_id == oldest, _j.state == "queued").values(**owner, **times)
        row = connection.execute(update.returning(*job.SELECT.selected_columns)).one_or_none()
        return None if row is None else job.from_row(row)


def send_heartbeat(engine: Engine, claimed: BatchJob, **values: Any) -> State | None:
    """Record that the process lives, with new values; returns the job's state, None once the claim is lost."""
    update = _update(claimed, *states.CLAIMED).values(heartbeat_at=job.now(), **values).returning(_j.state)
    with database.write_transaction(engine) as connection:
        state: State | None = connection.scalar(update)
        return state


def end(engine: Engine, claimed: BatchJob, state: State, **values: Any) -> bool:
    """End the job in `state`; false if the claim is lost."""
    return _execute(engine, _update(claimed, *states.CLAIMED).values(**_ended(state), **values))


def release(engine: Engine, claimed: BatchJob) -> bool:
    """Queue a job of a stopped service again, without counting the attempt. A job being cancelled is cancelled."""
    queued = _update(claimed, "running").values(**UNCLAIMED, attempts=claimed.attempts - 1)
    return _execute(engine, queued) or end(engine, claimed, "cancelled")


def requeue_or_fail(engine: Engine, claimed: BatchJob, attempts: int) -> bool:
    """Queue the job of a dead process again, or fail it after so many attempts; cancel a job being cancelled."""
    failed = {**_ended("failed"), "error": results.process_died(claimed, attempts)}
    values = UNCLAIMED if claimed.attempts < attempts else failed
    return _execute(engine, _update(claimed, "running").values(**values)) or end(engine, claimed, "cancelled")


def recover(engine: Engine, settings: QueueSettings) -> list[BatchJob]:
    """Queue or fail the jobs whose process is dead, and return them."""
    now = job.now()
    stale = now - dt.timedelta(seconds=settings.stale_seconds)
    too_long = now - dt.timedelta(seconds=SILENCE * settings.stale_seconds)
    query = job.SELECT.where(_j.state.in_(states.CLAIMED), _j.heartbeat_at < stale)
    with database.read_transaction(engine) as connection:
        silent = [job.from_row(row) for row in connection.execute(query)]
    lost = [each for each in silent if _is_lost(each, too_long)]
    for each in lost:
        kill(each)
    return [each for each in lost if requeue_or_fail(engine, each, settings.attempts)]


def is_alive(pid: int | None, job_id: str) -> bool:
    """Whether the process `pid` of this machine still runs this job: a later process may have the same number."""
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):  # no process, or another user's
        return False
    try:
        return job_id.encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # outside of Linux there is no such folder, and the number has to do
        return not pathlib.Path("/proc/self").exists()


def kill(claimed: BatchJob) -> None:
    """Kill the job's process if it runs on this machine."""
    if claimed.host == HOST and claimed.pid is not None and is_alive(claimed.pid, claimed.job_id):
        os.kill(claimed.pid, signal.SIGKILL)


def _is_lost(claimed: BatchJob, too_long: dt.datetime) -> bool:
    if claimed.host == HOST and not is_alive(claimed.pid, claimed.job_id):
        return True
    return claimed.heartbeat_at is not None and claimed.heartbeat_at < too_long


def _is_any_queued(engine: Engine, sources: Collection[str]) -> bool:
    query = sa.select(_j.job_id).where(_j.state == "queued", _j.source.in_(sources)).limit(1)
    with database.read_transaction(engine) as connection:
        return connection.scalar(query) is not None


def _ended(state: State) -> dict[str, Any]:
    return {"state": state, "finished_at": job.now(), "claim": None, "pid": None, "step": None}


def _update(claimed: BatchJob, *in_states: State) -> sa.Update:
    own = (_j.job_id == claimed.job_id, _j.claim == claimed.claim, _j.state.in_(in_states))
    return sa.update(tables.jobs).where(*own)


def _execute(engine: Engine, update: sa.Update) -> bool:
    with database.write_transaction(engine) as connection:
        return connection.execute(update).rowcount == 1
