"""Micro-batching: requests that wait while others are scored are scored together, as soon as a thread is free.

Most of the time for one customer does not depend on the number of customers, so the busier the service, the more
customers share it. No request waits for a batch to fill: one that comes to an idle service is scored at once, alone.
"""

from __future__ import annotations

import asyncio
import collections
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

import pydantic_core

from tiercast.contract import errors
from tiercast.serving import json_log
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import Response, Row, Scorer

MAX_BATCH_CUSTOMERS = 256  # a larger request is scored alone, so that no small one waits for it longer than for its own
MAX_WAITING_REQUESTS = 1_000  # about a second's worth


class Busy(Exception):
    """More requests are waiting than can be scored in a reasonable time."""


class Scored(NamedTuple):
    """The response to one request as JSON, and the scores in it."""

    body: bytes
    rows: list[Row]


AnyFuture = Future[Scored] | asyncio.Future[Scored]
OnScored = Callable[[ScoreRequest, list[Row]], None]


class _Pending(NamedTuple):
    request: ScoreRequest
    check: Callable[[], None]
    ids: frozenset[str]
    future: AnyFuture


class MicroBatcher:
    """Scores waiting requests in batches: small ones on the event loop between two iterations, others in threads.

    A batch on the loop holds what the loop has read in one iteration. A thread would not be faster: it has to be woken
    up, and shares the interpreter with the loop that reads the next request. `scorer` gives the scorer of each batch.
    `on_scored` is called after every response and must return quickly.
    """

    def __init__(
        self, scorer: Callable[[], Scorer], n_threads: int = 1, on_scored: OnScored = lambda _request, _rows: None
    ) -> None:
        self._scorer, self._on_scored = scorer, on_scored
        self._waiting: collections.deque[_Pending] = collections.deque()
        self._on_loop: collections.deque[_Pending] = collections.deque()
        self._changed = threading.Condition()
        self._is_open = True
        self._threads = [
            threading.Thread(target=self._work, name=f"scoring-{k}", daemon=True) for k in range(n_threads)
        ]
        for thread in self._threads:
            thread.start()

    async def score(self, request: ScoreRequest, check: Callable[[], None] = lambda: None) -> Scored:
        """The response. Raises `Busy`, `errors.TiercastError`, and what `check` raises before the request is scored."""
        if not self._scorer().is_quick(request):
            return await asyncio.wrap_future(self.submit(request, check))
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Scored] = loop.create_future()
        self._on_loop.append(_Pending(request, check, _ids(request), future))
        if len(self._on_loop) == 1:
            loop.call_soon(self._score_on_loop, loop)
        return await future

    def submit(self, request: ScoreRequest, check: Callable[[], None] = lambda: None) -> Future[Scored]:
        """The future response, computed by a thread; its errors are those of `score`. Raises `Busy`."""
        future = Future[Scored]()
        with self._changed:
            if len(self._waiting) >= MAX_WAITING_REQUESTS:
                raise Busy
            self._waiting.append(_Pending(request, check, _ids(request), future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """End the threads once every waiting request is scored."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _score_on_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Score one batch; the rest waits for the next iteration, so that the loop can do other work in between."""
        batch, self._on_loop = _next_batch(self._on_loop)
        if self._on_loop:
            loop.call_soon(self._score_on_loop, loop)
        accepted = [pending for pending in batch if not pending.future.done() and _check(pending)]
        if accepted:
            self._score(accepted)

    def _work(self) -> None:
        while batch := self._take():
            accepted = [pending for pending in batch if _start(pending.future) and _check(pending)]
            if accepted:
                self._score(accepted)

    def _take(self) -> list[_Pending]:
        """The request that has waited longest, and those that fit into its batch; empty once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._is_open)
            batch, self._waiting = _next_batch(self._waiting)
        return batch

    def _score(self, batch: list[_Pending]) -> None:
        try:
            responses = self._scorer().score_batch([pending.request for pending in batch])
            results = [_result(response) for response in responses]
        except Exception as error:
            self._retry_alone(batch, error)
            return
        for pending, result in zip(batch, results, strict=True):
            _resolve(pending.future, result)
        for pending, result in zip(batch, results, strict=True):
            if isinstance(result, Scored):
                self._on_scored(pending.request, result.rows)

    def _retry_alone(self, batch: list[_Pending], error: Exception) -> None:
        """A request that makes its batch fail must not fail the requests that happened to wait beside it."""
        if len(batch) == 1:
            batch[0].future.set_exception(error)  # its caller logs the error, with the id of the request
            return
        json_log.log_fault(error, "several")
        for pending in batch:
            self._score([pending])


def _next_batch(waiting: collections.deque[_Pending]) -> tuple[list[_Pending], collections.deque[_Pending]]:
    """The next batch, and the requests that are left.

    A batch has one `as_of` and each customer once: the rows of a customer cannot come from two requests.
    """
    batch: list[_Pending] = []
    rest: collections.deque[_Pending] = collections.deque()
    ids: set[str] = set()
    for pending in waiting:
        fits = not batch or (
            pending.request.as_of == batch[0].request.as_of
            and len(ids) + len(pending.ids) <= MAX_BATCH_CUSTOMERS
            and ids.isdisjoint(pending.ids)
        )
        if fits:
            batch.append(pending)
            ids |= pending.ids
        else:
            rest.append(pending)
    return batch, rest


def _ids(request: ScoreRequest) -> frozenset[str]:
    return frozenset(customer.customer_id for customer in request.customers)


def _start(future: AnyFuture) -> bool:
    """Mark a thread's future as running, so that it can no longer be cancelled; False if it was cancelled."""
    return isinstance(future, Future) and future.set_running_or_notify_cancel()


def _check(pending: _Pending) -> bool:
    try:
        pending.check()
    except Exception as error:
        pending.future.set_exception(error)
        return False
    return True


def _result(response: Response | errors.TiercastError) -> Scored | errors.TiercastError:
    if isinstance(response, errors.TiercastError):
        return response
    return Scored(pydantic_core.to_json(response), response["scores"])


def _resolve(future: AnyFuture, result: Scored | errors.TiercastError) -> None:
    if isinstance(result, errors.TiercastError):
        future.set_exception(result)
    else:
        future.set_result(result)
