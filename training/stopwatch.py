"""How long each step of a training took."""

from __future__ import annotations

import time
from collections.abc import Callable

Tell = Callable[[str], None]


class Stopwatch:
    """Called with the name of each step as it begins, it passes the name on and times the step until the next.

    >>> heard = []
    >>> watch = Stopwatch(heard.append)
    >>> watch("features"), watch("final models")
    (None, None)
    >>> heard, list(watch.stop())
    (['features', 'final models'], ['features', 'final models'])
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._begun: list[tuple[str, float]] = []

    def __call__(self, step: str) -> None:
        self._begun.append((step, time.perf_counter()))
        self._tell(step)

    def stop(self) -> dict[str, float]:
        """Seconds per step in the order they began; the last one ends now."""
        ends = [*(at for _, at in self._begun[1:]), time.perf_counter()]
        return {step: end - at for (step, at), end in zip(self._begun, ends, strict=True)}
