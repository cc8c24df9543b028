"""Jobs in processes of their own, killed and stopped where it hurts.

A source that is a pipe holds a job while it reads; the publishing lock holds one that has written its scores.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from tests import scored_tables
from tests.scored_tables import AS_OF
from tiercast.models import bundle_folder
from tiercast.serving.jobs import claims, job_queue, sources, worker
from tiercast.serving.jobs.job import BatchJob
from tiercast.serving.jobs.job_queue import JobSpec
from tiercast.serving.store import generations, publish, publish_lock

SECONDS = 60


class Place:
    """A folder with a jobs file, a bundle and the purchases of 120 customers; and the store's address."""

    def __init__(self, folder: Path, bundle: Path, url: str) -> None:
        self.folder, self.bundle, self.url = folder, bundle, url
        self.orders, self.out = folder / "orders.parquet", folder / f"shop-{AS_OF}.parquet"
        self.file = folder / "jobs.toml"
        self.ended: list[BatchJob] = []
        self.waiting: list[int] = []
        self.file.write_text(
            "[jobs]\nattempts = 2\n[sources.shop]\ntransactions = 'orders.parquet'\nout = 'shop-{as_of}.parquet'\n"
            "publish = true\nreasons = 'none'\n"
        )

    def write_orders(self) -> None:
        self.orders.unlink(missing_ok=True)
        scored_tables.write(self.folder, scored_tables.purchases())

    def hold_reading(self) -> None:
        os.mkfifo(self.orders)

    def scored_by_command(self, out: Path) -> str:
        scored_tables.score(bundle_folder.load(self.bundle), str(self.orders), out, reasons="none")
        return str(out)

    def counted(self, job_id: str) -> tuple[str, int]:
        """The state and attempt in which the job's end was told, once it was."""
        deadline = time.monotonic() + SECONDS
        while not self.ended and time.monotonic() < deadline:
            time.sleep(0.05)
        (one,) = self.ended
        assert one.job_id == job_id
        return one.state, one.attempts

    def start(self) -> worker.Worker:
        counted = worker.Callbacks(self.ended.append, self.waiting.append)
        started = worker.Worker(self.url, self.file, lambda: self.bundle, counted, poll_seconds=0.1)
        started.start()
        return started


@pytest.fixture
def place(tmp_path: Path, served: Path, url: str) -> Place:
    return Place(tmp_path, served, url)


@pytest.fixture
def running(place: Place, store: Engine) -> Iterator[worker.Worker]:
    started = place.start()
    yield started
    started.stop()


on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("url", ["postgresql"], indirect=True)


def submitted(store: Engine, as_of: dt.date = AS_OF) -> str:
    return job_queue.submit(store, JobSpec("shop", as_of, {}, "key"), 9).job.job_id


def wait(store: Engine, job_id: str, until: Callable[[BatchJob], object]) -> BatchJob:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        one = job_queue.get(store, job_id)
        if until(one):
            return one
        time.sleep(0.1)
    pytest.fail(f"still {one}")


def pid_of(one: BatchJob) -> int:
    assert one.pid is not None
    return one.pid


@on_postgresql
def test_a_job_killed_in_the_middle_is_done_again_and_gives_what_the_command_gives(
    place: Place, store: Engine, running: worker.Worker
) -> None:
    place.hold_reading()
    job_id = submitted(store)
    first = wait(store, job_id, lambda one: one.step == "reading")
    assert os.getpriority(os.PRIO_PROCESS, pid_of(first)) > os.getpriority(os.PRIO_PROCESS, 0)
    assert place.url.encode() not in Path(f"/proc/{first.pid}/cmdline").read_bytes()
    place.write_orders()  # the process still hangs in the pipe
    os.kill(pid_of(first), signal.SIGKILL)
    done = wait(store, job_id, lambda one: one.has_ended)
    assert (done.state, done.attempts, done.error) == ("done", 2, None)
    assert done.progress == 1.0
    by_command = place.scored_by_command(place.folder / "command.parquet")
    assert place.out.read_bytes() == Path(by_command).read_bytes()
    assert done.result is not None
    served = generations.current(store)
    assert (served.id, served.as_of, served.n_customers) == (done.generation_id, AS_OF, done.result["customers"])
    assert sum(row["customers"] for row in done.result["tiers"]) == served.n_customers
    assert running.problem is None
    assert place.counted(job_id) == ("done", 2)


@on_sqlite
def test_a_job_that_is_killed_each_time_fails_with_the_reason(
    place: Place, store: Engine, running: worker.Worker
) -> None:
    place.hold_reading()
    job_id = submitted(store)
    for attempt in (1, 2):
        one = wait(store, job_id, lambda one: one.pid is not None and one.attempts == attempt)  # noqa: B023
        os.kill(pid_of(one), signal.SIGKILL)
    failed = wait(store, job_id, lambda one: one.has_ended)
    assert failed.state == "failed"
    assert failed.error is not None
    assert (failed.error["code"], failed.error["count"], failed.error["total"]) == ("RunnerLost", 2, 2)
    assert place.counted(job_id) == ("failed", 2)


@on_sqlite
def test_a_job_cancelled_while_it_waits_to_publish_publishes_nothing(
    place: Place, store: Engine, running: worker.Worker
) -> None:
    place.write_orders()
    with publish_lock.held(store):
        job_id = submitted(store)
        pid = wait(store, job_id, lambda one: one.progress >= 0.8 and place.out.exists()).pid
        assert job_queue.cancel(store, job_id).job.state == "cancelling"
        wait(store, job_id, lambda one: one.state == "cancelled")
    wait(store, job_id, lambda one: not claims.is_alive(pid, job_id))
    assert generations.ready(store) == []
    assert place.counted(job_id) == ("cancelled", 1)


@on_sqlite
def test_a_service_that_stops_ends_its_job_and_the_next_one_takes_it_up(place: Place, store: Engine) -> None:
    place.hold_reading()
    job_id, before = submitted(store), place.start()
    one = wait(store, job_id, lambda one: one.step == "reading")
    before.stop()
    assert not claims.is_alive(one.pid, job_id)
    waiting = job_queue.get(store, job_id)
    assert (waiting.state, waiting.attempts, waiting.pid) == ("queued", 0, None)
    assert place.ended == []
    place.write_orders()
    by_command = publish.publish(store, place.scored_by_command(place.out)).generation
    after = place.start()
    try:
        done = wait(store, job_id, lambda one: one.has_ended)
    finally:
        after.stop()
    assert set(place.waiting) <= {0, 1}
    assert place.waiting
    # As after a job that was killed between the switch to its scores and its last word: nothing is published twice
    assert (done.state, done.attempts, done.generation_id) == ("done", 1, by_command.id)
    assert [each.id for each in generations.ready(store)] == [by_command.id]


@on_sqlite
def test_without_a_jobs_file_or_a_store_nothing_is_run(tmp_path: Path, url: str) -> None:
    for environment in ({}, {sources.VARIABLE: "jobs.toml"}, {"TIERCAST_STORE": url}):
        with worker.running(environment, lambda: tmp_path) as started:
            assert started is None
