"""The heartbeat of a job's process: the store shows every second that it lives, and how far it is."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from tiercast.contract import errors
from tiercast.serving.jobs import claims
from tiercast.serving.jobs.job import BatchJob
from tiercast.serving.store.database import Store

INTERVAL_SECONDS = 1.0


class Heartbeat:
    """A thread that sends heartbeats inside a `with` block.

    It sends SIGTERM to its own process when the job was cancelled or its claim was lost.
    """

    def __init__(self, engine: Store, claimed: BatchJob) -> None:
        self._engine, self._claimed = engine, claimed
        self._values: dict[str, Any] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tiercast-heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def update(self, **values: Any) -> None:
        """Set columns of the job, such as `step` and `progress`, with the next heartbeat."""
        self._values = self._values | values

    def _run(self) -> None:
        while not self._stop.is_set():
            self._send()
            self._stop.wait(INTERVAL_SECONDS)

    def _send(self) -> None:
        values, self._values = self._values, {}
        try:
            state = claims.send_heartbeat(self._engine, self._claimed, **values)
        except errors.TiercastError:  # the store is away, and may come back before the work is done
            self._values = values | self._values
            return
        if state != "running" and not self._stop.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
