"""Whether ranges of money hold: three shares of customers outside them, each 10 % when right.

Many customers bring nothing, and a range that starts at 0 holds all of them, however low its top. So each promise is
held only against those to whom it was made:

    above      more than the top came, of customers with a top above 0
    below      less than the floor came, of customers with a floor above 0
    despite    more than nothing came, of customers whose range is [0, 0]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.scores import INTERVAL_TAIL
from tiercast.contract.vectors import Mask, Vector
from tiercast.training.evaluation import outcomes, probability
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.evaluation.outcomes import Pairs

NOT_ASKED = -1.0


class _Promise(NamedTuple):
    """To whom one end of the range is a promise, and who broke it."""

    is_asked: Callable[[Vector, Vector], Mask]
    is_outside: Callable[[Vector, Vector, Vector], Mask]


PROMISES: Mapping[str, _Promise] = {
    "above": _Promise(lambda low, high: high > 0, lambda low, high, actual: actual > high),
    "below": _Promise(lambda low, high: low > 0, lambda low, high, actual: actual < low),
    "despite": _Promise(lambda low, high: high <= 0, lambda low, high, actual: actual > 0),
}
SHARES = tuple(PROMISES)


class RangeShares(NamedTuple):
    """The three shares, in [0, 1], each of its `n_...` customers; None where there is nobody. Widths are money."""

    n_customers: int
    mean_width: float | None
    above: float | None
    below: float | None
    despite: float | None
    n_above: int
    n_below: int
    n_despite: int


class RangeCard(NamedTuple):
    """The shares over all customers and within each group, for instance each tier."""

    overall: RangeShares
    by_group: dict[str, RangeShares]


def card(low: Vector, high: Vector, actual: Vector, groups: NDArray[np.str_] | None = None) -> RangeCard:
    """The shares of everybody, and of each group that has a customer."""
    names = [] if groups is None else sorted({str(group) for group in groups})
    chosen = {name: np.asarray(groups) == name for name in names}
    by_group = {name: shares(low[here], high[here], actual[here]) for name, here in chosen.items()}
    return RangeCard(shares(low, high, actual), by_group)


def shares(low: Vector, high: Vector, actual: Vector) -> RangeShares:
    """The three shares; one entry per customer in each argument.

    >>> low, high = np.array([0.0, 0.0, 0.0, 2.0]), np.array([0.0, 0.0, 9.0, 9.0])
    >>> shares(low, high, np.array([0.0, 1.0, 10.0, 5.0]))[2:]
    (0.5, 0.0, 0.5, 2, 1, 2)
    """
    codes = [outside(name, low, high, actual) for name in SHARES]
    asked = [code[code != NOT_ASKED] for code in codes]
    above, below, despite = (float(code.mean()) if len(code) else None for code in asked)
    n_above, n_below, n_despite = (len(code) for code in asked)
    width = float(np.mean(high - low)) if len(actual) else None
    return RangeShares(len(actual), width, above, below, despite, n_above, n_below, n_despite)


def outside(name: str, low: Vector, high: Vector, actual: Vector) -> Vector:
    """Per customer 1 where the outcome broke that promise, 0 where it kept it, -1 where none was made."""
    promise = PROMISES[name]
    broken = promise.is_outside(low, high, actual).astype(np.float64)
    return np.where(promise.is_asked(low, high), broken, NOT_ASKED)


def share_with_interval(share: float | None, n: int) -> Metric:
    """A share with its 95 % interval (Wilson 1927); NaN where there is nobody."""
    if share is None or not n:
        return Metric(math.nan, math.nan, math.nan)
    low, high = probability.wilson(np.array([share]), np.array([float(n)]))
    return Metric(share, float(low[0]), float(high[0]))


def distance(pairs: Pairs) -> float:
    """How far a share is from 10 %, where the forecast of each pair is what `outside` returns."""
    broken, asked = np.maximum(pairs.forecast, 0.0), np.where(pairs.forecast == NOT_ASKED, 0.0, 1.0)
    return abs(outcomes.ratio(outcomes.total(pairs, broken), outcomes.total(pairs, asked)) - INTERVAL_TAIL)
