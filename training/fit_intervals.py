"""Fit the interval table on predictions for windows the models had not seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import intervals
from models.intervals import Intervals
from models.vectors import Vector
from tiers.grid import Cuts

COVERAGE = 0.8
MOST_BINS = 20
LEAST_IN_GROUP = 50


class Outcomes(NamedTuple):
    """One row per customer and later window: what was predicted, what happened."""

    value: Vector
    p_churn: Vector
    actual: Vector
    churned: Vector


class _Group(NamedTuple):
    low: float
    high: float
    high_if_kept: float
    high_if_lost: float


def fit(seen: Outcomes, cuts: Cuts) -> Intervals:
    """The 80 % interval and the chance of high value, per group of customers predicted alike.

    A group with fewer than 50 customers borrows its whole value bin.
    """
    edges = _edges(seen.value, cuts.value)
    bins = np.searchsorted(edges, seen.value, side="right")
    slipping = seen.p_churn > cuts.p_churn
    cells = [
        _group(seen, _enough((bins == b) & (slipping == side), bins == b), cuts.value)
        for b in range(len(edges) + 1)
        for side in (False, True)
    ]
    columns = np.array(cells).reshape(len(edges) + 1, 2, 4)
    return Intervals(edges, *(columns[:, :, i] for i in range(4)))


def _edges(value: Vector, cut: float) -> Vector:
    """Inner edges of bins of equal count, the cut among them."""
    n_bins = int(np.clip(len(value) // (2 * LEAST_IN_GROUP), 1, MOST_BINS))
    inner = np.quantile(value, np.arange(1, n_bins) / n_bins)
    return np.unique(np.append(inner, cut))


def _enough(group: NDArray[np.bool_], bin_: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if group.sum() >= LEAST_IN_GROUP:
        return group
    return bin_ if bin_.any() else np.ones_like(bin_)


def _group(seen: Outcomes, chosen: NDArray[np.bool_], cut: float) -> _Group:
    ratio = np.sort(seen.actual[chosen] / np.maximum(seen.value[chosen], intervals.SMALLEST))
    low, high = _interval(ratio)
    is_high, lost = seen.actual[chosen] >= cut, seen.churned[chosen] > 0
    return _Group(low, high, _share(is_high, ~lost), _share(is_high, lost))


def _interval(ratio: Vector) -> tuple[float, float]:
    """The central 80 %, or from 0 up to the 80 % quantile where a tenth or more brought nothing.

    Order statistics are taken at (n + 1) times the level, which makes the coverage of a new customer
    at least the level whatever the distribution (split conformal).
    """
    tail = (1 - COVERAGE) / 2
    if np.mean(ratio <= 0) >= tail:
        return 0.0, _order_statistic(ratio, COVERAGE)
    return _order_statistic(ratio, tail, is_lower=True), _order_statistic(ratio, 1 - tail)


def _order_statistic(ordered: Vector, level: float, *, is_lower: bool = False) -> float:
    n = len(ordered)
    rank = np.floor((n + 1) * level) if is_lower else np.ceil((n + 1) * level)
    return float(ordered[int(np.clip(rank - 1, 0, n - 1))])


def _share(is_high: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    """The share of high values among some customers; with nobody there, among all of the group."""
    return float(is_high[among].mean()) if among.any() else float(is_high.mean())
