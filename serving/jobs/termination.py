"""SIGTERM in a job's process: it interrupts the work, but not once the job's scores are being served."""

from __future__ import annotations

from types import FrameType


class Terminated(BaseException):
    """SIGTERM came. Not an `Exception`, so that no handler on the way takes it for a failure."""


class TerminationHandler:
    """A signal handler that raises `Terminated` in the work, once, and only between `allow` and `forbid`.

    A library that is interrupted may raise an error of its own instead, or swallow ours. `was_raised` shows the first;
    the work calls `check` because of the second.
    """

    def __init__(self) -> None:
        self._is_requested, self._is_allowed = False, False
        self.was_raised = False

    def __call__(self, _: int, __: FrameType | None) -> None:
        self._is_requested = True
        self._raise()

    def allow(self) -> None:
        """Let SIGTERM interrupt from here on. Raises `Terminated` if it came already."""
        self._is_allowed = True
        self._raise()

    def forbid(self) -> None:
        """Ignore SIGTERM from here on: what the work leads to is about to be seen."""
        self._is_allowed, self.was_raised = False, False

    def check(self) -> None:
        """Raise `Terminated` again if a library swallowed it."""
        if self.was_raised:
            raise Terminated

    def _raise(self) -> None:
        if self._is_requested and self._is_allowed:
            self._is_allowed, self.was_raised = False, True
            raise Terminated
