"""Requests that wait while others are scored are scored together, as soon as a thread is free.

Most of the time for one customer does not depend on how many there are, so the busier the service, the more customers
share it. Nothing waits for company: a request that comes to an idle service is scored at once, alone.
"""

from __future__ import annotations

import asyncio
import collections
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

import pydantic_core

from tiercast.serving.http import access_log
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import Answer, Online

MOST_TOGETHER = 256  # customers; a larger request is scored alone, so that no small one waits for its own answer longer
MOST_WAITING = 1_000  # requests; a second's worth at least


class Busy(Exception):
    """More requests are waiting than can be answered in a reasonable time."""


class Scored(NamedTuple):
    """An answer as it is sent, and the scores in it."""

    body: bytes
    rows: list[Answer]


After = Callable[[ScoreRequest, list[Answer]], None]


class _Waiting(NamedTuple):
    request: ScoreRequest
    check: Callable[[], None]
    ids: frozenset[str]
    future: Future[Scored] | asyncio.Future[Scored]


class Passes:
    """Whatever waits is scored: quick requests by the event loop between two of its turns, others by threads.

    What the loop has read by then is scored together. A thread would not be sooner: it has to be woken, and shares the
    interpreter with the loop that reads the next request. `online` gives what to score with, for one pass; `after` is
    told of every answer that was given, and must be quick.
    """

    def __init__(self, online: Callable[[], Online], n_threads: int = 1, after: After = lambda *_: None) -> None:
        self._online, self._after = online, after
        self._waiting: collections.deque[_Waiting] = collections.deque()
        self._of_this_turn: collections.deque[_Waiting] = collections.deque()
        self._change = threading.Condition()
        self._is_open = True
        self._threads = [
            threading.Thread(target=self._work, name=f"scoring-{k}", daemon=True) for k in range(n_threads)
        ]
        for thread in self._threads:
            thread.start()

    async def score(self, request: ScoreRequest, check: Callable[[], None] = lambda: None) -> Scored:
        """The answer; raises what `submit` raises and what it promises."""
        if not self._online().is_quick(request):
            return await asyncio.wrap_future(self.submit(request, check))
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Scored] = loop.create_future()
        self._of_this_turn.append(_Waiting(request, check, _ids(request), future))
        if len(self._of_this_turn) == 1:
            loop.call_soon(self._turn, loop)
        return await future

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """One pass; what does not fit into it has the next turn, so that others are heard in between."""
        together, self._of_this_turn = _fitting(self._of_this_turn)
        if self._of_this_turn:
            loop.call_soon(self._turn, loop)
        wanted = [each for each in together if not each.future.done() and _is_sound(each)]
        if wanted:
            self._score(wanted)

    def submit(self, request: ScoreRequest, check: Callable[[], None] = lambda: None) -> Future[Scored]:
        """The answer to come from a thread, or `errors.TiercastError`, or what `check` raises before that.

        Raises `Busy`.
        """
        future = Future[Scored]()
        with self._change:
            if len(self._waiting) >= MOST_WAITING:
                raise Busy
            self._waiting.append(_Waiting(request, check, _ids(request), future))
            self._change.notify()
        return future

    def close(self) -> None:
        """End the threads once everything that waits is answered."""
        with self._change:
            self._is_open = False
            self._change.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while together := self._next():
            wanted = [each for each in together if _is_running(each.future) and _is_sound(each)]
            if wanted:
                self._score(wanted)

    def _next(self) -> list[_Waiting]:
        """The request that has waited longest, and those that fit to it; nothing when closed."""
        with self._change:
            self._change.wait_for(lambda: self._waiting or not self._is_open)
            together, self._waiting = _fitting(self._waiting)
        return together

    def _score(self, together: list[_Waiting]) -> None:
        try:
            answers = self._online().answers([each.request for each in together])
            scored = [answer if isinstance(answer, Exception) else _scored(answer) for answer in answers]
        except Exception as error:
            self._alone_or_fail(together, error)
            return
        for each, answer in zip(together, scored, strict=True):
            _settle(each.future, answer)
        for each, answer in zip(together, scored, strict=True):
            if isinstance(answer, Scored):
                self._after(each.request, answer.rows)

    def _alone_or_fail(self, together: list[_Waiting], error: Exception) -> None:
        """One request that breaks something must not break those that happened to wait beside it."""
        if len(together) == 1:
            together[0].future.set_exception(error)  # the gate logs it, with the id of the request
            return
        access_log.fault(error, "several")
        for each in together:
            self._score([each])


def _fitting(waiting: collections.deque[_Waiting]) -> tuple[list[_Waiting], collections.deque[_Waiting]]:
    """Those to score next, in one pass, and those left.

    They ask as of one day, and no customer is asked for twice: the rows of the two requests could not be told apart.
    """
    together: list[_Waiting] = []
    left: collections.deque[_Waiting] = collections.deque()
    ids: set[str] = set()
    for each in waiting:
        is_first = not together
        is_alike = is_first or each.request.as_of == together[0].request.as_of
        if is_first or (is_alike and len(ids) + len(each.ids) <= MOST_TOGETHER and ids.isdisjoint(each.ids)):
            together.append(each)
            ids |= each.ids
        else:
            left.append(each)
    return together, left


def _ids(request: ScoreRequest) -> frozenset[str]:
    return frozenset(customer.customer_id for customer in request.customers)


def _is_running(future: Future[Scored] | asyncio.Future[Scored]) -> bool:
    """From here on it cannot be cancelled; False where it was."""
    return isinstance(future, Future) and future.set_running_or_notify_cancel()


def _is_sound(waiting: _Waiting) -> bool:
    try:
        waiting.check()
    except Exception as error:
        waiting.future.set_exception(error)
        return False
    return True


def _scored(answer: Answer) -> Scored:
    return Scored(pydantic_core.to_json(answer), answer["scores"])


def _settle(future: Future[Scored] | asyncio.Future[Scored], answer: Scored | Exception) -> None:
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
