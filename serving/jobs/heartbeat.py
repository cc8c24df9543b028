"""The sign of life of a running job, and how the work learns that it was called off."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

from sqlalchemy.engine import Engine

from tiercast.contract import errors
from tiercast.serving.jobs import claims
from tiercast.serving.jobs.job import Job

BEAT_SECONDS = 1.0


class Stopped(BaseException):
    """Told to end. Not an `Exception`, so that nobody on the way takes it for a failure."""


class Stopping:
    """What SIGTERM does: it raises `Stopped` in the work, once, and only between `begin` and `finish`.

    An engine that it comes upon may end with an error of its own instead, or not at all: `was_raised` tells the one,
    and the work calls `check` for the other.
    """

    def __init__(self) -> None:
        self._is_asked, self._is_open = False, False
        self.was_raised = False

    def __call__(self, _: int, __: FrameType | None) -> None:
        self._is_asked = True
        self._raise()

    def begin(self) -> None:
        """From here on the work can be ended. Raises `Stopped` if that was asked for before."""
        self._is_open = True
        self._raise()

    def finish(self) -> None:
        """From here on it is too late: what the work leads to is about to be seen."""
        self._is_open, self.was_raised = False, False

    def check(self) -> None:
        """Raises `Stopped` again if it got lost on its way."""
        if self.was_raised:
            raise Stopped

    def _raise(self) -> None:
        if self._is_asked and self._is_open:
            self._is_open, self.was_raised = False, True
            raise Stopped


class Pulse:
    """A thread that says every second that the job lives, and ends the work if it was called off or given away."""

    def __init__(self, engine: Engine, mine: Job) -> None:
        self._engine, self._mine = engine, mine
        self._news: dict[str, Any] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="tiercast-pulse", daemon=True)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def tell(self, **news: Any) -> None:
        """To be written with the next beat."""
        self._news = self._news | news

    def _beat(self) -> None:
        while not self._over.is_set():
            self._once()
            self._over.wait(BEAT_SECONDS)

    def _once(self) -> None:
        news, self._news = self._news, {}
        try:
            state = claims.beat(self._engine, self._mine, **news)
        except errors.TiercastError:  # the store is away, and may come back before the work is done
            self._news = news | self._news
            return
        if state != "running" and not self._over.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
