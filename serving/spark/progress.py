"""How far a job of Spark's is: asked from outside while it runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from tiercast.serving.batch.scoring import Tell

EVERY_SECONDS = 0.5


@contextlib.contextmanager
def watching(session: Any, tell: Tell, n_parts: int) -> Iterator[None]:
    """Tell how many parts are written while the `with` block waits for them."""
    tell(0, n_parts)
    ended = threading.Event()
    tracker = session.sparkContext.statusTracker()

    def watch() -> None:
        done = 0
        while not ended.wait(EVERY_SECONDS):
            stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            of_parts = [stage.numCompletedTasks for stage in stages if stage and stage.numTasks == n_parts]
            if of_parts and max(of_parts) > done:
                done = max(of_parts)
                tell(done, n_parts)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    tell(n_parts, n_parts)
