"""The steps of a long run: reported as they begin, and timed."""

from __future__ import annotations

import time
from collections.abc import Callable

OnStep = Callable[[str], None]
"""Receives the name of a step when it begins."""


def ignore(step: str) -> None:
    """The callback of a caller who follows no progress."""


class StepTimer:
    """Reports each step to a callback and measures how long it takes.

    >>> names = []
    >>> steps = StepTimer(names.append)
    >>> steps.begin("features"), steps.begin("final models")
    (None, None)
    >>> names, list(steps.finish())
    (['features', 'final models'], ['features', 'final models'])
    """

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step
        self._begun: list[tuple[str, float]] = []

    def begin(self, step: str) -> None:
        """End the step before, and begin this one."""
        self._begun.append((step, time.perf_counter()))
        self._on_step(step)

    def finish(self) -> dict[str, float]:
        """End the last step. Returns seconds per step, in the order they began."""
        ends = [*(at for _, at in self._begun[1:]), time.perf_counter()]
        return {step: end - at for (step, at), end in zip(self._begun, ends, strict=True)}
