"""The bundle that answers now. It is exchanged by one reference, and the one before ends with its last request."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator
from typing import NamedTuple

from serving.lifecycle.source import Found
from serving.service.online import Online


class Served(NamedTuple):
    """A bundle that is ready to answer, what is said about it at /v1/model, where it came from and since when."""

    online: Online
    card: bytes
    found: Found
    since: dt.datetime


class Current:
    """One `Served` at a time, for any number of threads."""

    def __init__(self, first: Served) -> None:
        self._lock = threading.Lock()
        self._served = first
        self._uses = {id(first): 0}

    @property
    def served(self) -> Served:
        """What answers now, to be looked at. To score with it, borrow it by `use`: it may be closed at any moment."""
        return self._served

    @contextlib.contextmanager
    def use(self) -> Iterator[Served]:
        """What answers now, not closed before the block ends."""
        with self._lock:
            served = self._served
            self._uses[id(served)] += 1
        try:
            yield served
        finally:
            self._give_back(served)

    def swap(self, new: Served) -> None:
        """Let `new` answer from here on."""
        with self._lock:
            old, self._served = self._served, new
            self._uses[id(new)] = 0
            is_idle = self._uses[id(old)] == 0
            if is_idle:
                del self._uses[id(old)]
        if is_idle:
            old.online.close()

    def _give_back(self, served: Served) -> None:
        with self._lock:
            self._uses[id(served)] -= 1
            is_over = served is not self._served and self._uses[id(served)] == 0
            if is_over:
                del self._uses[id(served)]
        if is_over:
            served.online.close()
