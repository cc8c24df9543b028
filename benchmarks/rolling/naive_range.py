"""The rival of our ranges of money: what customers with as many repeat orders brought in earlier windows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tiercast.contract.scores import INTERVAL_TAIL
from tiercast.contract.vectors import Vector

LAST_BIN = 7
Ends = tuple[Vector, Vector]


class Learned(NamedTuple):
    """What the naive range learns from: repeat orders and realised value of earlier windows; both may be empty."""

    repeats: Vector
    actual: Vector


def naive(learned: Learned, repeats: Vector) -> Ends | None:
    """Per number of repeat orders (0 to 7 and more) the 10 % and 90 % quantiles of what such customers brought."""
    if not len(learned.actual):
        return None
    bins = np.minimum(learned.repeats, LAST_BIN)
    groups = [learned.actual[bins == k] if (bins == k).any() else learned.actual for k in range(LAST_BIN + 1)]
    ends = np.array([np.quantile(group, [INTERVAL_TAIL, 1 - INTERVAL_TAIL], method="higher") for group in groups])
    low, high = ends[np.minimum(repeats, LAST_BIN).astype(np.intp)].T
    return low, high


def interval_score(low: Vector, high: Vector, actual: Vector) -> Vector:
    """Width, plus ten times what lies outside (Gneiting & Raftery 2007, eq. 43): less is better.

    >>> interval_score(np.array([0.0, 0.0]), np.array([10.0, 10.0]), np.array([5.0, 12.0])).round(9).tolist()
    [10.0, 30.0]
    """
    outside = np.maximum(low - actual, 0.0) + np.maximum(actual - high, 0.0)
    return np.asarray(high - low + outside / INTERVAL_TAIL)
