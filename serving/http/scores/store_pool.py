"""The connection pool of the score store: opened when the store first responds, and checked every few seconds.

Without a store the endpoints of stored scores respond 404 with a hint. While a store is away they respond 503;
scoring from raw transactions goes on.
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

CHECK_SECONDS = 5.0
MAX_EXPORTS = 2
CONNECTIONS = endpoint.THREADS + MAX_EXPORTS + 1
"""One for each handler thread, for each export, and for the check: no thread waits for a connection."""
Result = TypeVar("Result")


class StorePool:
    """The pool of one process. `url` is None without a store. `query` may be called by many threads at once."""

    def __init__(self, url: str | None, check_seconds: float = CHECK_SECONDS) -> None:
        self._url, self._check_seconds = url, check_seconds
        self._engine: Store | None = None
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._note, self._has_responded = "the score store has not been queried yet", False
        self.exports = threading.BoundedSemaphore(MAX_EXPORTS)

    @property
    def engine(self) -> Store:
        """The store, opened. Raises `HttpError` without a store, and the errors of `database.open`."""
        if self._url is None:
            raise store_errors.no_store()
        with self._lock:
            if self._engine is None:
                engine = database.open(self._url, connections=CONNECTIONS)
                migrations.require(engine)
                self._engine = engine
            return self._engine

    def query(self, function: Callable[[Store], Result]) -> Result:
        """The result of `function`, called with the store. Raises `HttpError`."""
        try:
            return function(self.engine)
        except errors.TiercastError as error:
            raise store_errors.from_store_error(error) from None

    def check(self) -> None:
        """Record which generation is served, or why the store cannot be queried."""
        try:
            current = self.query(generations.current)
        except HttpError as error:
            self._note = str(error.fields["message"])
            self._has_responded |= error.fields["code"] == errors.StoreRefused.__name__
        except Exception as error:  # any error of a driver: the thread must survive it
            self._note = f"the score store cannot be queried: {type(error).__name__}"
        else:
            self._note, self._has_responded = f"generation {current.id}, as of {current.as_of}", True
            metrics.GENERATION.set(current.published_at.timestamp())
            metrics.GENERATION_ID.set(current.id)

    def state(self) -> readiness.State:
        """Not ready until the store has responded once; afterwards ready, because scoring works without the store."""
        return readiness.State(self._has_responded, self._note)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Inside the block, check the store again and again, and show its state in /readyz."""
        if self._url is None:
            yield
            return
        readiness.register("store", self.state)
        thread = threading.Thread(target=self._check_often, name="tiercast-store", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(timeout=1)
            readiness.unregister("store")
            if self._engine is not None:
                self._engine.dispose()

    def _check_often(self) -> None:
        self.check()
        while not self._stop.wait(self._check_seconds):
            self.check()


_RUNNING: list[StorePool] = []


def current() -> StorePool:
    """The pool of the running application."""
    return _RUNNING[-1] if _RUNNING else StorePool(None)


@contextlib.contextmanager
def running(environment: Mapping[str, str]) -> Iterator[StorePool]:
    """Inside the block, `current` is the pool of the store in TIERCAST_STORE."""
    pool = StorePool(environment.get("TIERCAST_STORE") or None)  # the command line sets "" for none
    _RUNNING.append(pool)
    try:
        with pool.watching():
            yield pool
    finally:
        _RUNNING.remove(pool)
