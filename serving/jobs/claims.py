"""What runners do with jobs: take one, say that they live, end it, and take over from those that died.

Whoever takes a job writes a new `claim` into it, and may change the row only while that is still there: a runner that
was given up and comes back changes nothing.
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
from tiercast.serving.jobs.job import Job
from tiercast.serving.jobs.sources import Running
from tiercast.serving.jobs.states import State
from tiercast.serving.store import database, tables

_j = tables.jobs.c
HOST = socket.gethostname()
SILENT = 4
"""Times `stale_seconds` until a runner is given up that cannot be seen to be dead: on another machine, or hanging."""
FREE: dict[str, Any] = {"state": "queued", "claim": None, "pid": None, "step": None, "progress": 0.0}


def take(engine: Engine, sources: Collection[str], at_once: int) -> Job | None:
    """The job that has waited longest, now running; None if there is none to take.

    Only one of these sources; not while another job of its source runs, for they would write the same file; not while
    `at_once` run on this machine.
    """
    if not _is_any(engine, sources):  # so that an idle service does not write to the store every second
        return None
    with database.writing(engine) as connection:
        job_queue.locked(connection)
        here = sa.select(sa.func.count()).where(_j.state.in_(states.WITH_A_RUNNER), _j.host == HOST)
        if (connection.scalar(here) or 0) >= at_once:
            return None
        busy = sa.select(_j.source).where(_j.state.in_(states.WITH_A_RUNNER)).scalar_subquery()
        first = sa.select(_j.job_id).where(_j.state == "queued", _j.source.in_(sources), _j.source.not_in(busy))
        next_one = first.order_by(_j.submitted_at, _j.job_id).limit(1).scalar_subquery()
        mine = {"state": "running", "claim": secrets.token_hex(8), "host": HOST, "attempts": _j.attempts + 1}
        when = {"started_at": job.now(), "heartbeat_at": job.now(), "step": "starting"}
        taken = sa.update(tables.jobs).where(_j.job_id == next_one, _j.state == "queued").values(**mine, **when)
        row = connection.execute(taken.returning(*job.SELECT.selected_columns)).one_or_none()
        return None if row is None else job.of_row(row)


def beat(engine: Engine, mine: Job, **news: Any) -> State | None:
    """Say that the runner lives, and what is new; the job's state, None if it is no longer this runner's."""
    with database.writing(engine) as connection:
        this = (_j.job_id == mine.job_id, _j.claim == mine.claim, _j.state.in_(states.WITH_A_RUNNER))
        alive = sa.update(tables.jobs).where(*this).values(heartbeat_at=job.now(), **news).returning(_j.state)
        found: State | None = connection.scalar(alive)
        return found


def end(engine: Engine, mine: Job, state: State, **facts: Any) -> bool:
    """The job is over; false if it was no longer this runner's."""
    return _change(engine, mine, **_over(state), **facts)


def give_back(engine: Engine, mine: Job) -> bool:
    """Queue the job again, as if it had not been tried: its runner was told to stop. One called off is cancelled."""
    if _change(engine, mine, only="running", **FREE, attempts=mine.attempts - 1):
        return True
    return end(engine, mine, "cancelled")


def lost(engine: Engine, mine: Job, attempts: int, error: dict[str, Any]) -> bool:
    """The runner is gone. The job is queued again, or fails after so many attempts; one called off is cancelled."""
    news = FREE if mine.attempts < attempts else {**_over("failed"), "error": error}
    return _change(engine, mine, only="running", **news) or end(engine, mine, "cancelled")


def recover(engine: Engine, rules: Running) -> list[Job]:
    """Find the jobs whose runner is gone, and queue them again or let them fail; those jobs."""
    now = job.now()
    stale = now - dt.timedelta(seconds=rules.stale_seconds)
    with database.reading(engine) as connection:
        asked = job.SELECT.where(_j.state.in_(states.WITH_A_RUNNER), _j.heartbeat_at < stale)
        suspects = [job.of_row(row) for row in connection.execute(asked)]
    gone = [each for each in suspects if _is_gone(each, now - dt.timedelta(seconds=SILENT * rules.stale_seconds))]
    for each in gone:
        kill(each)
    return [each for each in gone if lost(engine, each, rules.attempts, results.death(each, rules.attempts))]


def is_alive(pid: int | None, job_id: str) -> bool:
    """Whether the process with this number on this machine is the runner of this job, and no later one."""
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return False
    try:
        return job_id.encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # no such folder outside of Linux: take the number's word
        return not pathlib.Path("/proc/self").exists()


def kill(one: Job) -> None:
    """End a runner on this machine that does not answer."""
    if one.host == HOST and one.pid is not None and is_alive(one.pid, one.job_id):
        os.kill(one.pid, signal.SIGKILL)


def _is_gone(one: Job, silent_since: dt.datetime) -> bool:
    if one.host == HOST and not is_alive(one.pid, one.job_id):
        return True
    return one.heartbeat_at is not None and one.heartbeat_at < silent_since


def _is_any(engine: Engine, sources: Collection[str]) -> bool:
    with database.reading(engine) as connection:
        asked = sa.select(_j.job_id).where(_j.state == "queued", _j.source.in_(sources)).limit(1)
        return connection.scalar(asked) is not None


def _over(state: State) -> dict[str, Any]:
    return {"state": state, "finished_at": job.now(), "claim": None, "pid": None, "step": None}


def _change(engine: Engine, mine: Job, *, only: State | None = None, **values: Any) -> bool:
    allowed = states.WITH_A_RUNNER if only is None else (only,)
    this = (_j.job_id == mine.job_id, _j.claim == mine.claim, _j.state.in_(allowed))
    with database.writing(engine) as connection:
        return connection.execute(sa.update(tables.jobs).where(*this).values(**values)).rowcount == 1
