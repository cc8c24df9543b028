"""After how many silent days a customer counts as inactive, learned from who came back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector


def limit(silence_days: Vector, returned: Vector, *, share: float = 0.05, min_customers: int = 100) -> float | None:
    """The shortest silence from which on fewer than `share` of the customers come back within a horizon.

    `silence_days` at some past as_of, `returned` 1 for those who ordered within the horizon after it,
    else 0. For every silence s that was seen, the group is everyone silent for s days or longer. The
    answer is the smallest s whose group returned less than `share`, and so did the group of every
    longer s, as long as a group has `min_customers`: a lucky dip early on settles nothing, and a
    handful in the far tail cannot veto. None when no group is large and quiet enough. Customers
    without a silence (prospects) are left out.

    >>> silence = np.repeat([10.0, 100.0, 200.0], 100)
    >>> came_back = np.concatenate([np.ones(100), np.arange(100) < 12, np.arange(100) < 2])
    >>> limit(silence, came_back)          # from day 100 on: 14 of 200; from day 200 on: 2 of 100
    200.0
    """
    is_known = ~np.isnan(silence_days)
    days, position = np.unique(silence_days[is_known], return_inverse=True)
    came_back = _from_here_on(position, returned[is_known])
    customers = _from_here_on(position, np.ones(len(position)))
    is_large = customers >= min_customers
    is_lively = is_large & (came_back >= share * customers)
    first = int(np.flatnonzero(is_lively)[-1]) + 1 if is_lively.any() else 0
    return float(days[first]) if first < int(is_large.sum()) else None


def _from_here_on(position: NDArray[np.intp], counts: Vector) -> Vector:
    """Per day, the counts on that day and on every longer one."""
    on_day = np.bincount(position, weights=counts).astype(np.float64)  # NumPy's types miss that weights make floats
    return np.cumsum(on_day[::-1])[::-1]
