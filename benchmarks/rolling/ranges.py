"""Whether a range of money has two honest ends: three shares, each 10 % when right, and the interval score.

A mass at zero hides a broken top from plain coverage: any range that holds 0 holds whoever brings nothing. So the top
is judged by those who have one, the floor by those who have one, and the point from 0 to 0 by what it promises.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.rolling.against import Forecast
from tiercast.contract.vectors import Vector

LAST_BIN, TAIL = 7, 0.1


class Shares(NamedTuple):
    """`above` the top among those with a top, `below` the floor likewise, `despite` [0, 0] more than nothing.

    NaN where there is nobody. `score` and `naive_score` are mean interval scores (Gneiting & Raftery 2007) in money.
    """

    above: float
    below: float
    despite: float
    n_above: int
    n_below: int
    n_despite: int
    score: float
    naive_score: float


class Learned(NamedTuple):
    """What the naive range learns from: repeat orders and realised value of earlier windows; both may be empty."""

    repeats: Vector
    actual: Vector


def shares(forecast: Forecast, actual: Vector, naive: tuple[Vector, Vector] | None) -> Shares:
    """All numbers of one day; `naive` are the ends of the rival range, None where it had nothing to learn from."""
    low, high = forecast.low, forecast.high
    has_top, has_floor = high > 0, low > 0
    return Shares(
        _mean((actual > high)[has_top]),
        _mean((actual < low)[has_floor]),
        _mean((actual > 0)[~has_top]),
        int(has_top.sum()),
        int(has_floor.sum()),
        int((~has_top).sum()),
        float(interval_score(low, high, actual).mean()),
        float("nan") if naive is None else float(interval_score(*naive, actual).mean()),
    )


def naive(learned: Learned, repeats: Vector) -> tuple[Vector, Vector] | None:
    """Per number of repeat orders (0 to 7 and more) the 10 % and 90 % quantiles of what such customers brought."""
    if not len(learned.actual):
        return None
    bins = np.minimum(learned.repeats, LAST_BIN)
    groups = [learned.actual[bins == k] if (bins == k).any() else learned.actual for k in range(LAST_BIN + 1)]
    ends = np.array([np.quantile(group, [TAIL, 1 - TAIL], method="higher") for group in groups])
    low, high = ends[np.minimum(repeats, LAST_BIN).astype(np.intp)].T
    return low, high


def interval_score(low: Vector, high: Vector, actual: Vector) -> Vector:
    """Width, plus ten times what lies outside: least in expectation for the 10 % and 90 % quantiles."""
    outside = np.maximum(low - actual, 0.0) + np.maximum(actual - high, 0.0)
    return np.asarray(high - low + outside / TAIL)


def _mean(flags: NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else float("nan")
