"""Shadow mode: a challenger scores the same requests as the served model; only aggregated differences are kept.

One thread of low priority works through a bounded queue after the responses were sent. What does not fit into the queue
is dropped. A failure of the challenger is counted and changes no response.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tiercast.contract import errors
from tiercast.serving import json_log
from tiercast.serving.model_manager import hot_reload
from tiercast.serving.model_manager.differences import Differences
from tiercast.serving.model_manager.loading import Load, ServedModel
from tiercast.serving.model_manager.shadow_log import ShadowLog
from tiercast.serving.model_manager.source import BundleSource
from tiercast.serving.online.requests import ScoreRequest

MAX_WAITING_REQUESTS = 64
LOG_SECONDS, RETRY_SECONDS = 60.0, 60.0
NICENESS = 10
Rows = Sequence[Mapping[str, Any]]


class Counts(NamedTuple):
    """Requests that were compared, that found the queue full, and that the challenger could not score."""

    compared: int = 0
    dropped: int = 0
    failed: int = 0


class Shadow:
    """Compares the scores of responses with those of the challenger that `source` gives."""

    def __init__(self, source: BundleSource, load: Load, *, log_seconds: float = LOG_SECONDS) -> None:
        self._source, self._load, self._log_seconds = source, load, log_seconds
        self._queue: queue.Queue[tuple[ScoreRequest, Rows] | None] = queue.Queue(MAX_WAITING_REQUESTS)
        self._challenger: ServedModel | None = None
        self._problem = "not loaded yet"
        self._counts, self._differences = Counts(), Differences()
        self._log: ShadowLog | None = None
        self._served_model = ""
        self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
        self._thread.start()

    def offer(self, request: ScoreRequest, rows: Rows) -> None:
        """Queue a request and the scores of its response for comparison, if there is room. Never waits."""
        try:
            self._queue.put_nowait((request, rows))
        except queue.Full:
            self._count("dropped")

    def state(self) -> str:
        """The challenger and the counts, for /readyz."""
        if self._challenger is None:
            return f"no challenger: {self._problem}"
        n = self._counts
        return f"{self._challenger.model}; {n.compared} compared, {n.dropped} dropped, {n.failed} failed"

    def close(self) -> None:
        """Empty the queue, finish the comparison in progress, and log the last figures."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
        self._queue.put(None)
        self._thread.join(timeout=30)

    def _work(self) -> None:
        _lower_priority()
        loaded_at, logged_at = -RETRY_SECONDS, time.monotonic()
        while True:
            now = time.monotonic()
            if now - loaded_at >= RETRY_SECONDS:
                self._reload()
                loaded_at = time.monotonic()
            if now - logged_at >= self._log_seconds:
                self._write_log()
                logged_at = time.monotonic()
            with contextlib.suppress(queue.Empty):
                item = self._queue.get(timeout=min(1.0, self._log_seconds))
                if item is None:
                    break
                self._compare(*item)
        self._write_log(is_last=True)

    def _reload(self) -> None:
        """Load the challenger. Where it has changed, the counts start again, in another run."""
        try:
            if self._challenger is not None and self._source.latest().digest == self._challenger.bundle.digest:
                return
            fresh, _ = hot_reload.load_first(self._source, self._load)
        except Exception as error:
            self._problem = error.what if isinstance(error, errors.TiercastError) else type(error).__name__
            json_log.logger.warning("the challenger was not loaded: %s", self._problem)
            return
        if self._challenger is not None:
            self._write_log(is_last=True)
        self._challenger, self._log = fresh, None
        self._counts, self._differences = Counts(), Differences()

    def _compare(self, request: ScoreRequest, rows: Rows) -> None:
        if self._challenger is None:
            self._count("dropped")
            return
        try:
            self._differences.add(rows, self._challenger.scorer.score(request)["scores"])
            self._served_model = str(rows[0]["model"]) if rows else self._served_model
        except Exception:
            self._count("failed")
        else:
            self._count("compared")

    def _count(self, name: str) -> None:
        self._counts = self._counts._replace(**{name: getattr(self._counts, name) + 1})

    def _write_log(self, *, is_last: bool = False) -> None:
        """Log the figures of all comparisons so far; if MLflow does not answer, the next call logs them."""
        if self._challenger is None or not any(self._counts):
            return
        self._log = self._log or ShadowLog(self._served_model, self._challenger.model)
        requests = {f"requests_{name}": float(n) for name, n in self._counts._asdict().items()}
        try:
            self._log.write(requests | self._differences.figures())
            if is_last:
                self._log.end()
        except Exception as error:
            json_log.logger.warning("the shadow's figures were not logged: %s", type(error).__name__)


def _lower_priority() -> None:
    """On Linux a thread has a priority of its own; elsewhere this does nothing."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
