from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from tiercast.contract import errors
from tiercast.serving.jobs import claims, job, job_queue
from tiercast.serving.jobs.job_queue import JobSpec
from tiercast.serving.store import database

JULY = dt.date(1998, 7, 1)
NIGHTLY = JobSpec("shop", JULY, {}, "key-1", "nightly-1998-07-01")


def test_a_new_job_is_queued(store: Engine) -> None:
    result = job_queue.submit(store, JobSpec("shop", JULY, {"reasons": "none"}, "key-1"), max_queued=5)
    assert result.is_new
    one = job_queue.get(store, result.job.job_id)
    assert (one.state, one.attempts, one.progress, one.result, one.error) == ("queued", 0, 0.0, None, None)
    assert (one.source, one.as_of, one.options, one.submitted_by) == ("shop", JULY, {"reasons": "none"}, "key-1")
    assert abs((job.now() - one.submitted_at).total_seconds()) < 30


def test_the_same_key_of_the_same_caller_is_the_same_job_even_with_a_full_queue(store: Engine) -> None:
    first = job_queue.submit(store, NIGHTLY, max_queued=2)
    assert job_queue.submit(store, NIGHTLY, max_queued=2) == (first.job, False)
    other = job_queue.submit(store, NIGHTLY._replace(submitted_by="key-2"), max_queued=2)
    assert other.is_new
    assert other.job.job_id != first.job.job_id
    assert not job_queue.submit(store, NIGHTLY, max_queued=2).is_new


@pytest.mark.parametrize("change", [{"source": "b2b"}, {"as_of": dt.date(1998, 7, 2)}, {"options": {"publish": False}}])
def test_a_key_cannot_stand_for_other_work(store: Engine, change: dict[str, Any]) -> None:
    job_queue.submit(store, NIGHTLY, max_queued=5)
    with pytest.raises(errors.KeyReused):
        job_queue.submit(store, NIGHTLY._replace(**change), max_queued=5)
    assert len(job_queue.latest(store)) == 1


def test_concurrent_requests_with_one_key_all_get_one_job(url: str, store: Engine) -> None:
    def submit(_: int) -> str:
        engine = database.open(url)
        try:
            return job_queue.submit(engine, NIGHTLY, max_queued=50).job.job_id
        finally:
            engine.dispose()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(submit, range(16)))) == 1
    assert len(job_queue.latest(store)) == 1


def test_a_full_queue_accepts_no_job_until_one_leaves_it(store: Engine) -> None:
    first = job_queue.submit(store, JobSpec("shop", JULY, {}, "k"), max_queued=2).job
    job_queue.submit(store, JobSpec("shop", JULY, {}, "k"), max_queued=2)
    with pytest.raises(errors.QueueFull, match="2 of 2 places"):
        job_queue.submit(store, JobSpec("shop", JULY, {}, "k"), max_queued=2)
    job_queue.cancel(store, first.job_id)
    assert job_queue.submit(store, JobSpec("shop", JULY, {}, "k"), max_queued=2).is_new


def test_the_list_is_the_newest_first(store: Engine) -> None:
    ids = [job_queue.submit(store, JobSpec("shop", JULY, {}, "k"), max_queued=9).job.job_id for _ in range(3)]
    job_queue.cancel(store, ids[1])
    assert [one.job_id for one in job_queue.latest(store)] == ids[::-1]
    assert [one.job_id for one in job_queue.latest(store, limit=1)] == [ids[2]]


def test_only_queued_jobs_are_counted(store: Engine) -> None:
    ids = [job_queue.submit(store, JobSpec("shop", JULY, {}, "k"), 9).job.job_id for _ in range(4)]
    assert claims.claim_next(store, ["shop"], 1) is not None
    job_queue.cancel(store, ids[3])
    assert job_queue.count_queued(store) == 2


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_becomes_cancelling(store: Engine) -> None:
    waiting = job_queue.submit(store, JobSpec("shop", JULY, {}, "k"), 9).job
    first, again = job_queue.cancel(store, waiting.job_id), job_queue.cancel(store, waiting.job_id)
    assert (first.job.state, first.has_ended) == ("cancelled", True)
    assert (again.job.state, again.has_ended) == ("cancelled", False)
    running = job_queue.submit(store, JobSpec("shop", JULY, {}, "k"), 9).job
    assert claims.claim_next(store, ["shop"], 1) is not None
    for _ in range(2):
        cancelled = job_queue.cancel(store, running.job_id)
        assert (cancelled.job.state, cancelled.has_ended) == ("cancelling", False)


def test_a_job_that_has_ended_cannot_be_cancelled(store: Engine) -> None:
    job_queue.submit(store, JobSpec("shop", JULY, {}, "k"), 9)
    mine = claims.claim_next(store, ["shop"], 1)
    assert mine is not None
    assert claims.end(store, mine, "done", result={"customers": 3})
    with pytest.raises(errors.JobOver):
        job_queue.cancel(store, mine.job_id)
    assert job_queue.get(store, mine.job_id).result == {"customers": 3}


def test_an_unknown_job_is_refused(store: Engine) -> None:
    for function in (job_queue.get, job_queue.cancel):
        with pytest.raises(errors.JobUnknown):
            function(store, "job_0000000000000000")


def test_only_jobs_that_ended_long_ago_are_deleted(store: Engine) -> None:
    for _ in range(2):
        job_queue.submit(store, JobSpec("shop", JULY, {}, "k"), 9)
    ended = claims.claim_next(store, ["shop"], 1)
    assert ended is not None
    claims.end(store, ended, "failed", error={"code": "x"})
    assert job_queue.delete_ended(store, job.now() - dt.timedelta(days=1)) == 0
    assert job_queue.delete_ended(store, job.now() + dt.timedelta(seconds=5)) == 1
    assert [one.state for one in job_queue.latest(store)] == ["queued"]
