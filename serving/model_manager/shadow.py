"""Shadow mode: a challenger scores what was just answered, and only how it differs is kept.

It works after the answer was sent, in one thread of low priority, from a queue that drops what does not fit; whatever
goes wrong with it is counted and changes no answer.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tiercast.contract import errors
from tiercast.serving.model_manager import hot_reload
from tiercast.serving.model_manager.differences import Differences
from tiercast.serving.model_manager.served_model import Served
from tiercast.serving.model_manager.shadow_log import ShadowLog
from tiercast.serving.model_manager.source import Found, Source
from tiercast.serving.online.requests import ScoreRequest

MOST_WAITING = 64  # requests
LOG_SECONDS, RETRY_SECONDS = 60.0, 60.0
NICENESS = 10
Rows = Sequence[Mapping[str, Any]]
log = logging.getLogger("bentoml.tiercast")


class Figures(NamedTuple):
    """Requests that were compared, that found no room in the queue, and that the challenger could not score."""

    compared: int = 0
    dropped: int = 0
    failed: int = 0


class Shadow:
    """Compares the challenger of `source` with what was answered."""

    def __init__(self, source: Source, prepare: Callable[[Found], Served], *, log_seconds: float = LOG_SECONDS) -> None:
        self._source, self._prepare, self._log_seconds = source, prepare, log_seconds
        self._waiting: queue.Queue[tuple[ScoreRequest, Rows] | None] = queue.Queue(MOST_WAITING)
        self._served: Served | None = None
        self._why_not = "not loaded yet"
        self._figures, self._differences = Figures(), Differences()
        self._log: ShadowLog | None = None
        self._answering = ""
        self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
        self._thread.start()

    def offer(self, request: ScoreRequest, rows: Rows) -> None:
        """Compare with this answer, if there is room. Never waits."""
        try:
            self._waiting.put_nowait((request, rows))
        except queue.Full:
            self._figures = self._figures._replace(dropped=self._figures.dropped + 1)

    def state(self) -> str:
        """For /readyz."""
        if self._served is None:
            return f"no challenger: {self._why_not}"
        n = self._figures
        return (
            f"{self._served.online.bundle.about.model}; {n.compared} compared, {n.dropped} dropped, {n.failed} failed"
        )

    def close(self) -> None:
        """Stop after what is being compared, and log what was found."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
        self._waiting.put(None)
        self._thread.join(timeout=30)

    def _work(self) -> None:
        _lower_priority()
        tried, logged = -RETRY_SECONDS, time.monotonic()
        while True:
            now = time.monotonic()
            if now - tried >= RETRY_SECONDS:
                self._load()
                tried = time.monotonic()
            if now - logged >= self._log_seconds:
                self._write()
                logged = time.monotonic()
            with contextlib.suppress(queue.Empty):
                item = self._waiting.get(timeout=min(1.0, self._log_seconds))
                if item is None:
                    break
                self._compare(*item)
        self._write(is_last=True)

    def _load(self) -> None:
        """The challenger, or the one that took its place: then counting begins anew, in another run."""
        try:
            if self._served is not None and self._source.ask().mark == self._served.found.mark:
                return
            fresh, _ = hot_reload.start(self._source, self._prepare)
        except Exception as error:
            self._why_not = error.what if isinstance(error, errors.TiercastError) else type(error).__name__
            log.warning("no newer shadow: %s", self._why_not)
            return
        if self._served is not None:
            self._write(is_last=True)
        self._served, self._log = fresh, None
        self._figures, self._differences = Figures(), Differences()

    def _compare(self, request: ScoreRequest, rows: Rows) -> None:
        if self._served is None:
            self._figures = self._figures._replace(dropped=self._figures.dropped + 1)
            return
        try:
            theirs = self._served.online.answer(request)["scores"]
            self._differences.add(rows, theirs)
            self._answering = str(rows[0]["model"]) if rows else self._answering
        except Exception:
            self._figures = self._figures._replace(failed=self._figures.failed + 1)
            return
        self._figures = self._figures._replace(compared=self._figures.compared + 1)

    def _write(self, *, is_last: bool = False) -> None:
        """Log the figures of all that was compared so far; where MLflow is away, the next time."""
        if self._served is None or not any(self._figures):
            return
        self._log = self._log or ShadowLog(self._answering, self._served.online.bundle.about.model)
        requests = {f"requests_{name}": float(n) for name, n in self._figures._asdict().items()}
        try:
            self._log.write(requests | self._differences.figures())
            if is_last:
                self._log.end()
        except Exception as error:
            log.warning("the shadow's figures were not logged: %s", type(error).__name__)


def _lower_priority() -> None:
    """On Linux a thread has a priority of its own; elsewhere this does nothing."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
