"""How much history a label window needs: its own days, and enough before it to know the customers."""

from __future__ import annotations

LEAST_HISTORY_DAYS = 90


def before(horizon: int) -> int:
    """Days of history before a window: half of its horizon, or 90 days if that is less."""
    return min(horizon // 2, LEAST_HISTORY_DAYS)


def has_window(history_days: int, horizon: int) -> bool:
    """Whether a window of the horizon has closed, with enough history before it.

    >>> has_window(454, 365), has_window(455, 365)
    (False, True)
    """
    return history_days >= horizon + before(horizon)
