"""The progress of a Spark job, polled while it runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from tiercast.serving.batch.scoring import OnProgress

EVERY_SECONDS = 0.5


@contextlib.contextmanager
def watch(session: Any, on_progress: OnProgress, n_parts: int) -> Iterator[None]:
    """Call `on_progress` with the number of finished parts while the block runs."""
    on_progress(0, n_parts)
    is_over = threading.Event()
    tracker = session.sparkContext.statusTracker()

    def poll() -> None:
        done = 0
        while not is_over.wait(EVERY_SECONDS):
            stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            finished = [stage.numCompletedTasks for stage in stages if stage and stage.numTasks == n_parts]
            if finished and max(finished) > done:
                done = max(finished)
                on_progress(done, n_parts)

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
    on_progress(n_parts, n_parts)
