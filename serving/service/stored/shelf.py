"""The score store as the service sees it: opened once it answers, watched, and never waited for at the start.

Without a store the addresses of stored scores answer 404 and say how to get one. A store that is away costs them a
503; scoring from raw transactions goes on.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from sqlalchemy.engine import Engine

from contract import errors
from serving.service import endpoints, failures, metrics, readiness
from serving.service.stored import refusals
from serving.store import generations, migrations, opening
from serving.store.generations import Generation

SECONDS = 5.0
EXPORTS = 2
CONNECTIONS = endpoints.THREADS + EXPORTS + 1
"""One for every thread that may ask, for every export, and for the watch: nobody ever waits for a connection."""
Answer = TypeVar("Answer")


class Shelf:
    """`url` None: there is no store. `ask` may be called by many threads at once."""

    def __init__(self, url: str | None, seconds: float = SECONDS) -> None:
        self._url, self._seconds = url, seconds
        self._engine: Engine | None = None
        self._opening, self._stop = threading.Lock(), threading.Event()
        self._generation: Generation | None = None
        self._seen_at: float | None = None
        self._problem = "has not answered yet"
        self.exports = threading.BoundedSemaphore(EXPORTS)

    @property
    def engine(self) -> Engine:
        """The store, opened. Raises `Refused` without one, and errors of opening."""
        if self._url is None:
            raise refusals.no_store()
        with self._opening:
            if self._engine is None:
                engine = opening.open(self._url, connections=CONNECTIONS)
                migrations.require(engine)
                self._engine = engine
            return self._engine

    def ask(self, question: Callable[[Engine], Answer]) -> Answer:
        """The store's answer. Raises `Refused`."""
        try:
            return question(self.engine)
        except errors.TiercastError as error:
            raise refusals.of_store(error) from None

    def look(self) -> None:
        """Note which generation is served, or why that cannot be said."""
        try:
            self._generation = self.ask(generations.current)
        except failures.Refused as refused:
            self._problem = str(refused.more["message"])
        except Exception as error:  # whatever a driver raises: the watch must live on
            self._problem = f"cannot be asked: {type(error).__name__}"
        else:
            self._problem, self._seen_at = "", time.monotonic()
            metrics.GENERATION.set(self._generation.published_at.timestamp())
            metrics.GENERATION_ID.set(self._generation.id)

    def state(self) -> readiness.State:
        """Not ready until scores were seen once; later the other addresses are worth more than a 503 for all."""
        if self._seen_at is None or self._generation is None:
            return readiness.State(False, self._problem)
        if not self._problem:
            return readiness.State(True, f"generation {self._generation.id}, as of {self._generation.as_of}")
        return readiness.State(True, f"{self._problem}; last seen {time.monotonic() - self._seen_at:.0f} s ago")

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Look again and again inside the block, and tell /readyz of it."""
        if self._url is None:
            yield
            return
        readiness.tell("store", self.state)
        watch = threading.Thread(target=self._keep_looking, name="tiercast-store", daemon=True)
        watch.start()
        try:
            yield
        finally:
            self._stop.set()
            watch.join(timeout=1)
            readiness.forget("store")
            if self._engine is not None:
                self._engine.dispose()

    def _keep_looking(self) -> None:
        self.look()
        while not self._stop.wait(self._seconds):
            self.look()


_CURRENT = Shelf(None)


def current() -> Shelf:
    """The store of the running application."""
    return _CURRENT


@contextlib.contextmanager
def opened(environment: Mapping[str, str]) -> Iterator[Shelf]:
    """Inside the block, `current` is the store that TIERCAST_STORE names."""
    global _CURRENT  # one application per process, as for the metrics
    before, _CURRENT = _CURRENT, Shelf(environment.get("TIERCAST_STORE"))
    try:
        with _CURRENT.watched():
            yield _CURRENT
    finally:
        _CURRENT = before
