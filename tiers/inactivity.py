"""The number of silent days after which a customer is inactive, learned from the customers who came back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector


def limit(silence_days: Vector, returned: Vector, *, share: float = 0.05, min_customers: int = 100) -> float | None:
    """The shortest silence after which fewer than `share` of the customers come back within a horizon.

    `silence_days` are as of a past day; `returned` is 1 for customers who ordered within the horizon after it, else 0.
    The group of a silence s is all customers silent for s days or longer. The limit is the smallest s such that its
    group and the groups of all longer silences returned less than `share`. Groups below `min_customers` are ignored, so
    that neither an early dip nor a few customers in the tail decide. None if no group is large and quiet enough.
    Customers without a silence (prospects) are left out.

    >>> silence = np.repeat([10.0, 100.0, 200.0], 100)
    >>> came_back = np.concatenate([np.ones(100), np.arange(100) < 12, np.arange(100) < 2])
    >>> limit(silence, came_back)          # from day 100 on: 14 of 200; from day 200 on: 2 of 100
    200.0
    """
    is_known = ~np.isnan(silence_days)
    days, position = np.unique(silence_days[is_known], return_inverse=True)
    came_back = _reverse_cumsum(position, returned[is_known])
    customers = _reverse_cumsum(position, np.ones(len(position)))
    is_large = customers >= min_customers
    returns_often = is_large & (came_back >= share * customers)
    first = int(np.flatnonzero(returns_often)[-1]) + 1 if returns_often.any() else 0
    return float(days[first]) if first < int(is_large.sum()) else None


def _reverse_cumsum(position: NDArray[np.intp], counts: Vector) -> Vector:
    """For each day, the sum of the counts on that day and on all later ones."""
    on_day = np.bincount(position, weights=counts).astype(np.float64)  # NumPy's types miss that weights make floats
    return np.cumsum(on_day[::-1])[::-1]
