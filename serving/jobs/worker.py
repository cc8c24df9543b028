"""The worker: a thread in each process of the service that claims jobs and starts a process for each.

Workers, services and machines share nothing but the store. When a service ends, its jobs fare as follows:

    stopped (SIGTERM)     the job's process removes partial output, and the job is queued again
    killed (kill -9)      the job's process runs to its end; every service sees that in the store
    the machine stops     the heartbeats stop; a worker queues the job again after `stale_seconds`
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

from tiercast.contract import errors
from tiercast.serving.jobs import claims, job, job_queue, sources
from tiercast.serving.jobs.job import BatchJob
from tiercast.serving.store.database import Store

POLL_SECONDS = 1.0
STOP_SECONDS = 8.0
HOUSEKEEPING_SECONDS = 5.0
ROOT = pathlib.Path(__file__).absolute().parents[3]


class ChildProcess(NamedTuple):
    """A claimed job and the process that runs it."""

    job: BatchJob
    process: subprocess.Popen[bytes]


class Callbacks(NamedTuple):
    """`on_ended` is called once for each job that ended here, `on_queued` with the length of the queue."""

    on_ended: Callable[[BatchJob], object] = lambda _: None
    on_queued: Callable[[int], object] = lambda _: None


NO_CALLBACKS = Callbacks()


class Worker:
    """Claims jobs and watches their processes until `stop`. `bundle` returns the folder of the served bundle."""

    def __init__(
        self,
        url: str,
        file: pathlib.Path,
        bundle: Callable[[], pathlib.Path],
        callbacks: Callbacks = NO_CALLBACKS,
        *,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._url, self._file, self._bundle, self._poll_seconds = url, file, bundle, poll_seconds
        self._callbacks = callbacks
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tiercast-jobs", daemon=True)
        self._children: list[ChildProcess] = []
        self._last_housekeeping = 0.0
        self.problem: str | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Terminate the jobs that run here and queue them again. Waits until they have removed partial output."""
        self._stop.set()
        self._thread.join(timeout=STOP_SECONDS + 5)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._try(self._poll)
            self._stop.wait(self._poll_seconds)
        self._try(self._terminate_children)

    def _try(self, action: Callable[[], None]) -> None:
        """Run `action` and keep its error in `problem`: the thread must survive whatever a driver raises."""
        try:
            action()
        except errors.TiercastError as error:
            self.problem = error.what
        except Exception as error:
            self.problem = f"jobs cannot be run: {type(error).__name__}"
        else:
            self.problem = None

    def _poll(self) -> None:
        engine, jobs_file = job_queue.open_store(self._url), sources.read(self._file)
        self._reap(engine, jobs_file.jobs.attempts)
        if time.monotonic() - self._last_housekeeping > HOUSEKEEPING_SECONDS:
            self._last_housekeeping = time.monotonic()
            for recovered in claims.recover(engine, jobs_file.jobs):
                self._report_end(engine, recovered)
            self._callbacks.on_queued(job_queue.count_queued(engine))
            job_queue.delete_ended(engine, job.now() - dt.timedelta(days=jobs_file.jobs.keep_days))
        bundle = self._bundle()
        claimed = claims.claim_next(engine, jobs_file.sources, jobs_file.jobs.at_once)
        if claimed is not None:
            self._start_child(engine, claimed, bundle)

    def _start_child(self, engine: Store, claimed: BatchJob, bundle: pathlib.Path) -> None:
        try:
            process = self._popen(claimed, bundle)
        except OSError:  # no memory or no number for another process
            claims.release(engine, claimed)
            raise
        self._children.append(ChildProcess(claimed, process))
        claims.send_heartbeat(engine, claimed, pid=process.pid)

    def _popen(self, claimed: BatchJob, bundle: pathlib.Path) -> subprocess.Popen[bytes]:
        """In a session of its own, so that signals to the service's process group do not reach it."""
        command = [sys.executable, "-m", "tiercast.serving.jobs.job_process", claimed.job_id, str(claimed.claim)]
        ours = {"TIERCAST_STORE": self._url, "TIERCAST_BUNDLE": str(bundle)}
        ours |= {sources.VARIABLE: str(self._file), "PYTHONPATH": _python_path()}
        return subprocess.Popen(  # noqa: S603  fixed words and an id of ours
            command, env={**os.environ, **ours}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def _reap(self, engine: Store, attempts: int) -> None:
        """Write the end of processes that could not do so: they were killed, or the store was away."""
        for child in [each for each in self._children if each.process.poll() is not None]:
            is_ours = child.process.returncode == 0 or claims.requeue_or_fail(engine, child.job, attempts)
            self._children.remove(child)
            if is_ours:
                self._report_end(engine, child.job)

    def _report_end(self, engine: Store, claimed: BatchJob) -> None:
        """Call `on_ended`, unless the job was queued again or runs in another attempt elsewhere."""
        current = job_queue.get(engine, claimed.job_id)
        if current.has_ended and current.attempts == claimed.attempts:
            self._callbacks.on_ended(current)

    def _terminate_children(self) -> None:
        for child in self._children:
            child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
        for child in [each for each in self._children if each.process.returncode != 0]:
            child.process.kill()
            child.process.wait()
            claims.release(job_queue.open_store(self._url), child.job)


@contextlib.contextmanager
def running(
    environment: Mapping[str, str], bundle: Callable[[], pathlib.Path], callbacks: Callbacks = NO_CALLBACKS
) -> Iterator[Worker | None]:
    """Run a worker inside the block if TIERCAST_JOBS names a jobs file and TIERCAST_STORE a store, else None."""
    file, url = environment.get(sources.VARIABLE), environment.get("TIERCAST_STORE")
    if not file or not url:
        yield None
        return
    worker = Worker(url, pathlib.Path(file), bundle, callbacks)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def check_environment(environment: Mapping[str, str]) -> None:
    """Raises `BadInput` for a jobs file that cannot be used, or without a store, before the service starts."""
    file = environment.get(sources.VARIABLE)
    if not file:
        return
    if not environment.get("TIERCAST_STORE"):
        hint = "pass --store URL too; a SQLite file such as scores.db will do"
        raise errors.BadInput("jobs are kept in a store, and there is none", first=f"--jobs {file}", hint=hint)
    sources.read(pathlib.Path(file))


def _python_path() -> str:
    return os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
