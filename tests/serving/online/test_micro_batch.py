from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.serving.score_requests import customer, purchase, score_body
from tiercast.models import bundle_folder
from tiercast.serving.online import micro_batch, plan_cache
from tiercast.serving.online.micro_batch import MicroBatcher, Scored
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import SMALL_CUSTOMERS, SMALL_ROWS, Scorer

SECONDS = 60


class Gate:
    """Returns the scorer once the gate is open, and counts the calls: one per batch."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer, self.n_batches, self.is_open, self.called = scorer, 0, threading.Event(), threading.Event()

    def __call__(self) -> Scorer:
        self.called.set()
        assert self.is_open.wait(SECONDS)
        self.n_batches += 1
        return self.scorer


@pytest.fixture(scope="module")
def scorer(served: Path) -> Scorer:
    return Scorer(bundle_folder.load(served))


@pytest.fixture
def gate(scorer: Scorer) -> Gate:
    return Gate(scorer)


def request(*ids: str, as_of: str = "1998-07-01") -> ScoreRequest:
    people = [customer(key, purchase()) for key in ids]
    return ScoreRequest.model_validate_json(json.dumps(score_body(*people) | {"as_of": as_of}))


def ids(future: Future[Scored]) -> list[str]:
    return [row["customer_id"] for row in json.loads(future.result(SECONDS).body)["scores"]]


def score_all(gate: Gate, first: ScoreRequest, *others: ScoreRequest) -> list[list[str]]:
    """The ids in every response, where `others` came while `first` was being scored."""
    with contextlib.closing(MicroBatcher(gate)) as running:
        futures = [running.submit(first)]
        assert gate.called.wait(SECONDS)
        futures += [running.submit(other) for other in others]
        gate.is_open.set()
        return [ids(future) for future in futures]


def test_requests_that_wait_are_scored_in_one_batch(gate: Gate) -> None:
    assert score_all(gate, request("a"), request("b"), request("c", "d"), request("e")) == [
        ["a"],
        ["b"],
        ["c", "d"],
        ["e"],
    ]
    assert gate.n_batches == 2


def test_two_requests_for_one_customer_are_in_two_batches(gate: Gate) -> None:
    assert score_all(gate, request("z"), request("a", "b"), request("b", "c"), request("d")) == [
        ["z"],
        ["a", "b"],
        ["b", "c"],
        ["d"],
    ]
    assert gate.n_batches == 3


def test_requests_of_two_days_are_in_two_batches(gate: Gate) -> None:
    score_all(
        gate,
        request("z"),
        request("a"),
        request("b", as_of="1998-07-02"),
        request("c"),
        request("d", as_of="1998-07-02"),
    )
    assert gate.n_batches == 3


def test_a_request_larger_than_a_batch_is_scored_alone(gate: Gate) -> None:
    large = request(*(f"l-{k}" for k in range(micro_batch.MAX_BATCH_CUSTOMERS + 1)))
    scored = score_all(gate, request("z"), large, request("a"), request("b"))
    assert [len(each) for each in scored] == [1, micro_batch.MAX_BATCH_CUSTOMERS + 1, 1, 1]
    assert gate.n_batches == 3


def test_a_request_cancelled_while_waiting_is_not_scored(gate: Gate) -> None:
    with contextlib.closing(MicroBatcher(gate)) as running:
        first = running.submit(request("a"))
        assert gate.called.wait(SECONDS)
        gone, there = running.submit(request("b")), running.submit(request("c"))
        assert gone.cancel()
        gate.is_open.set()
        assert (ids(first), ids(there)) == (["a"], ["c"])


def test_a_request_is_refused_at_once_where_the_queue_is_full(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micro_batch, "MAX_WAITING_REQUESTS", 2)
    with contextlib.closing(MicroBatcher(gate)) as running:
        first = running.submit(request("a"))
        assert gate.called.wait(SECONDS)
        waiting = [running.submit(request("b")), running.submit(request("c"))]
        with pytest.raises(micro_batch.Busy):
            running.submit(request("d"))
        gate.is_open.set()
        assert [ids(each) for each in (first, *waiting)] == [["a"], ["b"], ["c"]]


def test_closing_scores_the_requests_that_still_wait(gate: Gate) -> None:
    gate.is_open.set()
    running = MicroBatcher(gate, 2)
    futures = [running.submit(request(f"c-{k}")) for k in range(20)]
    running.close()
    assert [ids(future) for future in futures] == [[f"c-{k}"] for k in range(20)]


def test_a_request_that_fails_its_batch_does_not_fail_the_others(
    gate: Gate, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One customer's request makes the engine fail, in any batch."""
    score_batch = scorer.score_batch

    def failing(requests: list[ScoreRequest]) -> object:
        if any(each.customer_id == "broken" for request in requests for each in request.customers):
            raise RuntimeError("the engine is gone")
        return score_batch(requests)

    monkeypatch.setattr(scorer, "score_batch", failing)
    with contextlib.closing(MicroBatcher(gate)) as running:
        first = running.submit(request("a"))
        assert gate.called.wait(SECONDS)
        good, broken = running.submit(request("b")), running.submit(request("broken"))
        gate.is_open.set()
        assert (ids(first), ids(good)) == (["a"], ["b"])
        with pytest.raises(RuntimeError, match="engine is gone"):
            broken.result(SECONDS)


def in_one_iteration(scorer: Scorer, *requests: ScoreRequest) -> tuple[list[list[str]], list[str]]:
    """The ids in the responses to requests that an event loop reads in one iteration, and the thread of each batch."""
    threads: list[str] = []

    def get_scorer() -> Scorer:
        threads.append(threading.current_thread().name)
        return scorer

    async def score(running: MicroBatcher) -> list[Scored]:
        return await asyncio.gather(*(running.score(request) for request in requests))

    with contextlib.closing(MicroBatcher(get_scorer)) as running:
        scored = asyncio.run(score(running))
    ids_of = [[row["customer_id"] for row in json.loads(each.body)["scores"]] for each in scored]
    return ids_of, threads[len(requests) :]  # every request first calls `is_quick`


def test_small_requests_of_one_iteration_are_scored_together_by_the_event_loop(scorer: Scorer) -> None:
    scorer.warm_up(dt.date(1998, 7, 1))
    here = threading.current_thread().name
    assert in_one_iteration(scorer, request("a"), request("b", "c")) == ([["a"], ["b", "c"]], [here])
    assert in_one_iteration(scorer, request("a"), request("a"), request("b")) == ([["a"], ["a"], ["b"]], [here, here])


def test_large_requests_and_those_of_a_new_day_are_scored_by_a_thread(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer.warm_up(dt.date(1998, 7, 1))
    many = [f"m-{k}" for k in range(SMALL_CUSTOMERS + 1)]
    assert in_one_iteration(scorer, request(*many)) == ([many], ["scoring-0"])
    lines = ScoreRequest.model_validate_json(
        json.dumps(score_body(customer("a", *[purchase()] * (SMALL_ROWS + 1))) | {"as_of": "1998-07-01"})
    )
    assert in_one_iteration(scorer, lines) == ([["a"]], ["scoring-0"])
    monkeypatch.setattr(plan_cache, "_plans", type(plan_cache._plans)())
    assert in_one_iteration(scorer, request("a")) == ([["a"]], ["scoring-0"])
    assert in_one_iteration(scorer, request("a")) == ([["a"]], [threading.current_thread().name])


def test_a_request_cancelled_before_the_next_iteration_is_not_scored(scorer: Scorer) -> None:
    scorer.warm_up(dt.date(1998, 7, 1))
    checked: list[str] = []

    async def score(running: MicroBatcher) -> Scored:
        gone = asyncio.create_task(running.score(request("gone"), lambda: checked.append("gone")))
        there = asyncio.create_task(running.score(request("there"), lambda: checked.append("there")))
        await asyncio.sleep(0)  # both wait for the next iteration
        gone.cancel()
        return await there

    with contextlib.closing(MicroBatcher(lambda: scorer)) as running:
        assert asyncio.run(score(running)).rows[0]["customer_id"] == "there"
    assert checked == ["there"]


def test_a_request_that_fails_its_batch_on_the_loop_does_not_fail_the_others(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer.warm_up(dt.date(1998, 7, 1))
    score_batch = scorer.score_batch

    def failing(requests: list[ScoreRequest]) -> object:
        if any(each.customer_id == "broken" for request in requests for each in request.customers):
            raise RuntimeError("the engine is gone")
        return score_batch(requests)

    async def score(running: MicroBatcher) -> tuple[Scored | BaseException, Scored | BaseException]:
        both = (running.score(request("good")), running.score(request("broken")))
        return await asyncio.gather(*both, return_exceptions=True)

    monkeypatch.setattr(scorer, "score_batch", failing)
    with contextlib.closing(MicroBatcher(lambda: scorer)) as running:
        good, broken = asyncio.run(score(running))
    assert isinstance(good, Scored)
    assert isinstance(broken, RuntimeError)
