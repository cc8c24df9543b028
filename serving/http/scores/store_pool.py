"""The score store as the service sees it: opened once it answers, watched, and never waited for at the start.

Without a store the addresses of stored scores answer 404 and say how to get one. A store that is away costs them a
503; scoring from raw transactions goes on.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from tiercast.contract import errors
from tiercast.serving.http import endpoint, metrics, readiness
from tiercast.serving.http.error_responses import HttpError
from tiercast.serving.http.scores import store_errors
from tiercast.serving.store import database, generations, migrations
from tiercast.serving.store.database import Store

SECONDS = 5.0
EXPORTS = 2
CONNECTIONS = endpoint.THREADS + EXPORTS + 1
"""One for every thread that may ask, for every export, and for the watch: nobody ever waits for a connection."""
Answer = TypeVar("Answer")


class Shelf:
    """`url` None: there is no store. `ask` may be called by many threads at once."""

    def __init__(self, url: str | None, seconds: float = SECONDS) -> None:
        self._url, self._seconds = url, seconds
        self._engine: Store | None = None
        self._opening, self._stop = threading.Lock(), threading.Event()
        self._note, self._has_answered = "the score store has not been asked yet", False
        self.exports = threading.BoundedSemaphore(EXPORTS)

    @property
    def engine(self) -> Store:
        """The store, opened. Raises `HttpError` without one, and errors of opening."""
        if self._url is None:
            raise store_errors.no_store()
        with self._opening:
            if self._engine is None:
                engine = database.open(self._url, connections=CONNECTIONS)
                migrations.require(engine)
                self._engine = engine
            return self._engine

    def ask(self, question: Callable[[Store], Answer]) -> Answer:
        """The store's answer. Raises `HttpError`."""
        try:
            return question(self.engine)
        except errors.TiercastError as error:
            raise store_errors.of_store(error) from None

    def look(self) -> None:
        """Note which generation is served, or why that cannot be said."""
        try:
            found = self.ask(generations.current)
        except HttpError as refused:
            self._note = str(refused.fields["message"])
            self._has_answered |= refused.fields["code"] == errors.StoreRefused.__name__
        except Exception as error:  # whatever a driver raises: the watch must live on
            self._note = f"the score store cannot be asked: {type(error).__name__}"
        else:
            self._note, self._has_answered = f"generation {found.id}, as of {found.as_of}", True
            metrics.GENERATION.set(found.published_at.timestamp())
            metrics.GENERATION_ID.set(found.id)

    def state(self) -> readiness.State:
        """Not ready before the store has ever answered; afterwards, scoring is worth more than a 503 for everything."""
        return readiness.State(self._has_answered, self._note)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Look again and again inside the block, and tell /readyz of it."""
        if self._url is None:
            yield
            return
        readiness.register("store", self.state)
        watch = threading.Thread(target=self._keep_looking, name="tiercast-store", daemon=True)
        watch.start()
        try:
            yield
        finally:
            self._stop.set()
            watch.join(timeout=1)
            readiness.unregister("store")
            if self._engine is not None:
                self._engine.dispose()

    def _keep_looking(self) -> None:
        self.look()
        while not self._stop.wait(self._seconds):
            self.look()


_OPEN: list[Shelf] = []


def current() -> Shelf:
    """The store of the running application."""
    return _OPEN[-1] if _OPEN else Shelf(None)


@contextlib.contextmanager
def opened(environment: Mapping[str, str]) -> Iterator[Shelf]:
    """Inside the block, `current` is the store that TIERCAST_STORE names."""
    shelf = Shelf(environment.get("TIERCAST_STORE") or None)  # the command line says "" for none
    _OPEN.append(shelf)
    try:
        with shelf.watched():
            yield shelf
    finally:
        _OPEN.remove(shelf)
