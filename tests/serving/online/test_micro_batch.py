from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.serving.score_requests import asked, customer, purchase
from tiercast.models import bundle_folder
from tiercast.serving.online import micro_batch, plan_cache
from tiercast.serving.online.micro_batch import MicroBatcher, Scored
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import SMALL_CUSTOMERS, SMALL_ROWS, Scorer

SECONDS = 60


class Lender:
    """Gives `online` once the gate is open, and counts how often."""

    def __init__(self, online: Scorer) -> None:
        self.online, self.lent, self.gate, self.asked = online, 0, threading.Event(), threading.Event()

    def __call__(self) -> Scorer:
        self.asked.set()
        assert self.gate.wait(SECONDS)
        self.lent += 1
        return self.online


@pytest.fixture(scope="module")
def online(served: Path) -> Scorer:
    return Scorer(bundle_folder.load(served))


@pytest.fixture
def lender(online: Scorer) -> Lender:
    return Lender(online)


def of(*ids: str, as_of: str = "1998-07-01") -> ScoreRequest:
    people = [customer(key, purchase()) for key in ids]
    return ScoreRequest.model_validate_json(json.dumps(asked(*people) | {"as_of": as_of}))


def ids(future: Future[Scored]) -> list[str]:
    return [row["customer_id"] for row in json.loads(future.result(SECONDS).body)["scores"]]


def all_answered(lender: Lender, first: ScoreRequest, *others: ScoreRequest) -> list[list[str]]:
    """The ids of every answer, where `others` came while `first` was being scored."""
    with contextlib.closing(MicroBatcher(lender)) as running:
        futures = [running.submit(first)]
        assert lender.asked.wait(SECONDS)
        futures += [running.submit(other) for other in others]
        lender.gate.set()
        return [ids(future) for future in futures]


def test_requests_that_wait_are_scored_in_one_pass(lender: Lender) -> None:
    assert all_answered(lender, of("a"), of("b"), of("c", "d"), of("e")) == [["a"], ["b"], ["c", "d"], ["e"]]
    assert lender.lent == 2


def test_two_requests_for_one_customer_are_scored_apart(lender: Lender) -> None:
    assert all_answered(lender, of("z"), of("a", "b"), of("b", "c"), of("d")) == [["z"], ["a", "b"], ["b", "c"], ["d"]]
    assert lender.lent == 3


def test_requests_of_two_days_are_scored_apart(lender: Lender) -> None:
    all_answered(lender, of("z"), of("a"), of("b", as_of="1998-07-02"), of("c"), of("d", as_of="1998-07-02"))
    assert lender.lent == 3


def test_a_request_larger_than_a_pass_is_scored_alone(lender: Lender) -> None:
    large = of(*(f"l-{k}" for k in range(micro_batch.MAX_BATCH_CUSTOMERS + 1)))
    answered = all_answered(lender, of("z"), large, of("a"), of("b"))
    assert [len(each) for each in answered] == [1, micro_batch.MAX_BATCH_CUSTOMERS + 1, 1, 1]
    assert lender.lent == 3


def test_whoever_hangs_up_while_waiting_is_not_scored(lender: Lender) -> None:
    with contextlib.closing(MicroBatcher(lender)) as running:
        first = running.submit(of("a"))
        assert lender.asked.wait(SECONDS)
        gone, there = running.submit(of("b")), running.submit(of("c"))
        assert gone.cancel()
        lender.gate.set()
        assert (ids(first), ids(there)) == (["a"], ["c"])


def test_more_than_can_wait_is_turned_away_at_once(lender: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micro_batch, "MAX_WAITING_REQUESTS", 2)
    with contextlib.closing(MicroBatcher(lender)) as running:
        first = running.submit(of("a"))
        assert lender.asked.wait(SECONDS)
        waiting = [running.submit(of("b")), running.submit(of("c"))]
        with pytest.raises(micro_batch.Busy):
            running.submit(of("d"))
        lender.gate.set()
        assert [ids(each) for each in (first, *waiting)] == [["a"], ["b"], ["c"]]


def test_closing_answers_what_still_waits(lender: Lender) -> None:
    lender.gate.set()
    running = MicroBatcher(lender, 2)
    futures = [running.submit(of(f"c-{k}")) for k in range(20)]
    running.close()
    assert [ids(future) for future in futures] == [[f"c-{k}"] for k in range(20)]


def test_what_breaks_one_request_does_not_break_those_beside_it(
    lender: Lender, online: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One customer's request makes the engine fail, whoever it is scored with."""
    answers = online.score_batch

    def failing(requests: list[ScoreRequest]) -> object:
        if any(each.customer_id == "broken" for request in requests for each in request.customers):
            raise RuntimeError("the engine is gone")
        return answers(requests)

    monkeypatch.setattr(online, "score_batch", failing)
    with contextlib.closing(MicroBatcher(lender)) as running:
        first = running.submit(of("a"))
        assert lender.asked.wait(SECONDS)
        good, broken = running.submit(of("b")), running.submit(of("broken"))
        lender.gate.set()
        assert (ids(first), ids(good)) == (["a"], ["b"])
        with pytest.raises(RuntimeError, match="engine is gone"):
            broken.result(SECONDS)


def in_one_turn(online: Scorer, *requests: ScoreRequest) -> tuple[list[list[str]], list[str]]:
    """The ids of answers to requests that an event loop has read in one turn, and by whom each pass was made."""
    made_by: list[str] = []

    def lent() -> Scorer:
        made_by.append(threading.current_thread().name)
        return online

    async def ask(running: MicroBatcher) -> list[Scored]:
        return await asyncio.gather(*(running.score(request) for request in requests))

    with contextlib.closing(MicroBatcher(lent)) as running:
        scored = asyncio.run(ask(running))
    found = [[row["customer_id"] for row in json.loads(each.body)["scores"]] for each in scored]
    return found, made_by[len(requests) :]  # every request asks first whether it is quick


def test_small_requests_of_a_turn_are_scored_together_by_the_event_loop(online: Scorer) -> None:
    online.warm_up(dt.date(1998, 7, 1))
    here = threading.current_thread().name
    assert in_one_turn(online, of("a"), of("b", "c")) == ([["a"], ["b", "c"]], [here])
    assert in_one_turn(online, of("a"), of("a"), of("b")) == ([["a"], ["a"], ["b"]], [here, here])


def test_large_requests_and_those_of_a_new_day_are_left_to_a_thread(
    online: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    online.warm_up(dt.date(1998, 7, 1))
    many = [f"m-{k}" for k in range(SMALL_CUSTOMERS + 1)]
    assert in_one_turn(online, of(*many)) == ([many], ["scoring-0"])
    lines = ScoreRequest.model_validate_json(
        json.dumps(asked(customer("a", *[purchase()] * (SMALL_ROWS + 1))) | {"as_of": "1998-07-01"})
    )
    assert in_one_turn(online, lines) == ([["a"]], ["scoring-0"])
    monkeypatch.setattr(plan_cache, "_plans", type(plan_cache._plans)())
    assert in_one_turn(online, of("a")) == ([["a"]], ["scoring-0"])
    assert in_one_turn(online, of("a")) == ([["a"]], [threading.current_thread().name])


def test_whoever_hangs_up_before_the_turn_is_not_scored(online: Scorer) -> None:
    online.warm_up(dt.date(1998, 7, 1))
    checked: list[str] = []

    async def ask(running: MicroBatcher) -> Scored:
        gone = asyncio.create_task(running.score(of("gone"), lambda: checked.append("gone")))
        there = asyncio.create_task(running.score(of("there"), lambda: checked.append("there")))
        await asyncio.sleep(0)  # both wait for the turn
        gone.cancel()
        return await there

    with contextlib.closing(MicroBatcher(lambda: online)) as running:
        assert asyncio.run(ask(running)).rows[0]["customer_id"] == "there"
    assert checked == ["there"]


def test_what_breaks_one_request_of_a_turn_does_not_break_those_beside_it(
    online: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    online.warm_up(dt.date(1998, 7, 1))
    answers = online.score_batch

    def failing(requests: list[ScoreRequest]) -> object:
        if any(each.customer_id == "broken" for request in requests for each in request.customers):
            raise RuntimeError("the engine is gone")
        return answers(requests)

    async def ask(running: MicroBatcher) -> tuple[Scored | BaseException, Scored | BaseException]:
        both = (running.score(of("good")), running.score(of("broken")))
        return await asyncio.gather(*both, return_exceptions=True)

    monkeypatch.setattr(online, "score_batch", failing)
    with contextlib.closing(MicroBatcher(lambda: online)) as running:
        good, broken = asyncio.run(ask(running))
    assert isinstance(good, Scored)
    assert isinstance(broken, RuntimeError)
