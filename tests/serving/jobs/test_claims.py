from __future__ import annotations

import collections
import datetime as dt
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tiercast.serving.jobs import claims, job, job_queue
from tiercast.serving.jobs.job import BatchJob
from tiercast.serving.jobs.job_queue import JobSpec
from tiercast.serving.jobs.sources import QueueSettings
from tiercast.serving.store import database, tables

JULY = dt.date(1998, 7, 1)
RULES = QueueSettings(attempts=2, stale_seconds=30)


def submitted(store: Engine, *sources: str) -> list[str]:
    return [job_queue.submit(store, JobSpec(name, JULY, {}, "k"), 999).job.job_id for name in sources]


def taken(store: Engine, *sources: str, at_once: int = 1) -> BatchJob:
    result = claims.claim_next(store, sources or ("shop",), at_once)
    assert result is not None
    return result


def aged(store: Engine, job_id: str, seconds: float, **more: object) -> None:
    """As if the runner had last been heard of so long ago."""
    change = sa.update(tables.jobs).where(tables.jobs.c.job_id == job_id)
    with database.write_transaction(store) as connection:
        connection.execute(change.values(heartbeat_at=job.now() - dt.timedelta(seconds=seconds), **more))


def test_the_oldest_job_is_claimed_first(store: Engine) -> None:
    ids = submitted(store, "a", "b", "a")
    one = taken(store, "a", "b", at_once=9)
    assert (one.job_id, one.state, one.attempts, one.host) == (ids[0], "running", 1, claims.HOST)
    assert taken(store, "a", "b", at_once=9).job_id == ids[1]


def test_two_jobs_of_one_source_never_run_at_the_same_time(store: Engine) -> None:
    first, second = submitted(store, "shop", "shop")
    one = taken(store, at_once=9)
    assert claims.claim_next(store, ["shop"], 9) is None
    job_queue.cancel(store, first)
    assert claims.claim_next(store, ["shop"], 9) is None  # its runner is still there
    assert claims.end(store, one, "cancelled")
    assert taken(store, at_once=9).job_id == second


def test_a_machine_runs_at_most_so_many_jobs_and_only_of_its_sources(store: Engine) -> None:
    submitted(store, "a", "b")
    taken(store, "a", "b")
    assert claims.claim_next(store, ["a", "b"], 1) is None
    assert claims.claim_next(store, ["c"], 2) is None
    with database.write_transaction(store) as connection:
        connection.execute(sa.update(tables.jobs).where(tables.jobs.c.state == "running").values(host="elsewhere"))
    assert taken(store, "a", "b").source == "b"


def test_each_job_is_claimed_by_one_of_many_services(url: str, store: Engine) -> None:
    names = [f"s{n}" for n in range(12)]
    ids = submitted(store, *names)

    def reach(_: int) -> list[str]:
        engine = database.open(url)
        try:
            return [one.job_id for one in iter(lambda: claims.claim_next(engine, names, 64), None)]
        finally:
            engine.dispose()

    with ThreadPoolExecutor(4) as threads:
        got = collections.Counter(each for some in threads.map(reach, range(4)) for each in some)
    assert got == collections.Counter(ids)
    assert {one.attempts for one in job_queue.latest(store)} == {1}


def test_a_heartbeat_sets_new_values_and_returns_whether_the_job_was_cancelled(store: Engine) -> None:
    submitted(store, "shop")
    mine = taken(store)
    aged(store, mine.job_id, 20)
    assert claims.send_heartbeat(store, mine, step="scoring", progress=0.25) == "running"
    now = job_queue.get(store, mine.job_id)
    assert (now.step, now.progress) == ("scoring", 0.25)
    assert now.heartbeat_at is not None
    assert (job.now() - now.heartbeat_at).total_seconds() < 15
    job_queue.cancel(store, mine.job_id)
    assert claims.send_heartbeat(store, mine) == "cancelling"
    assert claims.end(store, mine, "cancelled")
    assert claims.send_heartbeat(store, mine, progress=0.5) is None


def test_a_process_that_lost_its_claim_changes_nothing(store: Engine) -> None:
    submitted(store, "shop")
    late = taken(store)
    assert claims.requeue_or_fail(store, late, 3)
    again = taken(store)
    assert again.attempts == 2
    assert claims.send_heartbeat(store, late, progress=1.0) is None
    assert not claims.end(store, late, "done")
    assert not claims.release(store, late)
    assert not claims.requeue_or_fail(store, late, 1)
    now = job_queue.get(store, again.job_id)
    assert (now.state, now.progress, now.claim) == ("running", 0.0, again.claim)


def test_a_job_whose_service_stopped_is_queued_again_without_counting_the_attempt(store: Engine) -> None:
    submitted(store, "shop")
    mine = taken(store)
    claims.send_heartbeat(store, mine, pid=1, step="scoring", progress=0.5)
    assert claims.release(store, mine)
    now = job_queue.get(store, mine.job_id)
    assert (now.state, now.attempts, now.progress, now.step, now.pid) == ("queued", 0, 0.0, None, None)


@pytest.mark.parametrize("way", ["release", "requeue_or_fail"])
def test_a_cancelled_job_is_not_tried_again_however_its_process_ended(store: Engine, way: str) -> None:
    submitted(store, "shop")
    mine = taken(store)
    job_queue.cancel(store, mine.job_id)
    assert claims.release(store, mine) if way == "release" else claims.requeue_or_fail(store, mine, 3)
    assert job_queue.get(store, mine.job_id).state == "cancelled"


def test_a_job_whose_process_is_dead_is_tried_again_and_then_fails_with_the_reason(store: Engine) -> None:
    submitted(store, "shop")
    for attempt in (1, 2):
        mine = taken(store)
        assert mine.attempts == attempt
        aged(store, mine.job_id, 20, pid=2**22 + 1)  # beyond the largest number of a process
        assert claims.recover(store, RULES) == []
        aged(store, mine.job_id, 40)
        assert [one.job_id for one in claims.recover(store, RULES)] == [mine.job_id]
    now = job_queue.get(store, mine.job_id)
    assert now.state == "failed"
    assert now.finished_at is not None
    assert now.error is not None
    assert (now.error["code"], now.error["count"], now.error["total"]) == ("RunnerLost", 2, 2)


def test_a_live_process_without_heartbeats_is_killed_after_a_while(store: Engine) -> None:
    submitted(store, "shop")
    mine = taken(store)
    code = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, mine.job_id]) as process:
        while not claims.is_alive(process.pid, mine.job_id):  # its command line shows a moment after it was started
            time.sleep(0.01)
        aged(store, mine.job_id, 40, pid=process.pid)
        assert claims.recover(store, RULES) == []
        aged(store, mine.job_id, 4 * 30 + 1)
        assert len(claims.recover(store, RULES)) == 1
        assert process.wait(10) == -signal.SIGKILL
    assert job_queue.get(store, mine.job_id).state == "queued"


def test_another_process_with_the_same_pid_is_not_killed(store: Engine) -> None:
    submitted(store, "shop")
    mine = taken(store)
    assert not claims.is_alive(os.getpid(), mine.job_id)
    aged(store, mine.job_id, 40, pid=os.getpid())
    assert len(claims.recover(store, RULES)) == 1


def test_a_process_on_another_machine_is_given_up_only_after_a_long_silence(store: Engine) -> None:
    submitted(store, "shop")
    mine = taken(store)
    aged(store, mine.job_id, 40, host="elsewhere", pid=os.getpid())
    assert claims.recover(store, RULES) == []
    aged(store, mine.job_id, 4 * 30 + 1)
    assert len(claims.recover(store, RULES)) == 1
