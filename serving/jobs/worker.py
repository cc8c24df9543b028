"""Runs the jobs of a service: a thread in each of its worker processes, and a process for each job.

Each of the threads takes a job whenever the store gives it one, so that workers, services and machines need not agree
on anything but the store. What happens to a job when its service ends:

    told to stop (SIGTERM)   its process is ended too, removes what is half done, and the job is queued again
    killed (kill -9)         its process goes on to the end by itself, as every service sees in the store
    the machine stops        its heartbeat stops; a service takes it up again after `stale_seconds`
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import pathlib
import subprocess  # our own interpreter, no shell
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from sqlalchemy.engine import Engine

from tiercast.contract import errors
from tiercast.serving.jobs import claims, desk, job, job_queue, results, sources
from tiercast.serving.jobs.job import Job
from tiercast.serving.jobs.sources import Configured

POLL_SECONDS = 1.0
STOP_SECONDS = 8.0
HOUSEKEEPING_SECONDS = 5.0
ROOT = pathlib.Path(__file__).absolute().parents[3]


class Child(NamedTuple):
    """A job and the process that does it."""

    mine: Job
    process: subprocess.Popen[bytes]


class Counted(NamedTuple):
    """Whom a runner tells: of each job that ended here, once, and of how many wait in the store."""

    ended: Callable[[Job], object] = lambda _: None
    waiting: Callable[[int], object] = lambda _: None


NOBODY = Counted()


class Runner:
    """Takes jobs and looks after their processes until `stop`.

    `bundle` gives the folder of the bundle that is served at that moment.
    """

    def __init__(
        self,
        url: str,
        file: pathlib.Path,
        bundle: Callable[[], pathlib.Path],
        counted: Counted = NOBODY,
        *,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._url, self._file, self._bundle, self._poll_seconds = url, file, bundle, poll_seconds
        self._counted = counted
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tiercast-jobs", daemon=True)
        self._children: list[Child] = []
        self._housekept = 0.0
        self.problem: str | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the jobs that run here, and let them be queued again. Takes as long as they need to clean up."""
        self._stop.set()
        self._thread.join(timeout=STOP_SECONDS + 5)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._tried(self._turn)
            self._stop.wait(self._poll_seconds)
        self._tried(self._end_all)

    def _tried(self, action: Callable[[], None]) -> None:
        """The thread lives on whatever a driver raises; `problem` says what is wrong."""
        try:
            action()
        except errors.TiercastError as error:
            self.problem = error.what
        except Exception as error:
            self.problem = f"jobs cannot be run: {type(error).__name__}"
        else:
            self.problem = None

    def _turn(self) -> None:
        engine, rules = desk.at(self._url, self._file)
        self._settle(engine, rules)
        if time.monotonic() - self._housekept > HOUSEKEEPING_SECONDS:
            self._housekept = time.monotonic()
            for each in claims.recover(engine, rules.jobs):
                self._count(engine, each)
            self._counted.waiting(job_queue.waiting(engine))
            job_queue.forget(engine, job.now() - dt.timedelta(days=rules.jobs.keep_days))
        bundle = self._bundle()
        taken = claims.take(engine, rules.sources, rules.jobs.at_once)
        if taken is not None:
            self._begin(engine, taken, bundle)

    def _begin(self, engine: Engine, taken: Job, bundle: pathlib.Path) -> None:
        try:
            process = self._started(taken, bundle)
        except OSError:  # no memory for another process, or no number
            claims.give_back(engine, taken)
            raise
        self._children.append(Child(taken, process))
        claims.beat(engine, taken, pid=process.pid)

    def _started(self, taken: Job, bundle: pathlib.Path) -> subprocess.Popen[bytes]:
        """In a session of its own, so that what is sent to the service's group does not reach it."""
        command = [sys.executable, "-m", "tiercast.serving.jobs.job_process", taken.job_id, str(taken.claim)]
        ours = {"TIERCAST_STORE": self._url, "TIERCAST_BUNDLE": str(bundle)}
        ours |= {sources.VARIABLE: str(self._file), "PYTHONPATH": _python_path()}
        return subprocess.Popen(  # noqa: S603  fixed words and an id of ours
            command, env={**os.environ, **ours}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def _settle(self, engine: Engine, rules: Configured) -> None:
        """What a process could not write at its end: it was killed, or the store was away."""
        for child in [each for each in self._children if each.process.poll() is not None]:
            death = results.death(child.mine, rules.jobs.attempts)
            is_ours = child.process.returncode == 0 or claims.lost(engine, child.mine, rules.jobs.attempts, death)
            self._children.remove(child)
            if is_ours:
                self._count(engine, child.mine)

    def _count(self, engine: Engine, mine: Job) -> None:
        """Tell of the job's end. One that was queued again has none yet, and one begun anew elsewhere ends there."""
        found = job_queue.find(engine, mine.job_id)
        if found.is_over and found.attempts == mine.attempts:
            self._counted.ended(found)

    def _end_all(self) -> None:
        for child in self._children:
            child.process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for child in self._children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, until - time.monotonic()))
        for child in [each for each in self._children if each.process.returncode != 0]:
            child.process.kill()
            child.process.wait()
            claims.give_back(desk.store(self._url), child.mine)


@contextlib.contextmanager
def running(
    environment: Mapping[str, str], bundle: Callable[[], pathlib.Path], counted: Counted = NOBODY
) -> Iterator[Runner | None]:
    """Run jobs inside the block, if TIERCAST_JOBS names a file of sources and TIERCAST_STORE a store."""
    file, url = environment.get(sources.VARIABLE), environment.get("TIERCAST_STORE")
    if not file or not url:
        yield None
        return
    runner = Runner(url, pathlib.Path(file), bundle, counted)
    runner.start()
    try:
        yield runner
    finally:
        runner.stop()


def check(environment: Mapping[str, str]) -> None:
    """Before anything listens. Raises `BadInput` for a jobs file that cannot be used, or without a store."""
    file = environment.get(sources.VARIABLE)
    if not file:
        return
    if not environment.get("TIERCAST_STORE"):
        hint = "pass --store URL too; a SQLite file such as scores.db will do"
        raise errors.BadInput("jobs are kept in a store, and there is none", first=f"--jobs {file}", hint=hint)
    sources.read(pathlib.Path(file))


def _python_path() -> str:
    return os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
