"""Do tiers stay where they are, and do they still hold the money? From the tiers of one date to the next.

Every function takes `tiers`, one row per customer and one column per date, oldest first; "" where the customer was not
scored. The raw tiers and tiers held by bands are judged alike.

A flip-back is X, Y, X in three consecutive scorings: somebody was called about a change that was none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.tiers.grid import HIGH_VALUE
from tiercast.training.evaluation import bootstrap, level, outcomes
from tiercast.training.evaluation.bootstrap import Metric

Tiers = NDArray[np.str_]
NAN = float("nan")


class Share(NamedTuple):
    """How often something happened to each customer, out of how many times it could have."""

    times: Vector
    chances: Vector

    @property
    def value(self) -> float:
        """All customers together, in [0, 1]; nan without a chance."""
        return float(self.times.sum() / self.chances.sum()) if self.chances.sum() else NAN

    def metric(self, draws: int = 200, seed: int = 0) -> Metric:
        """The same with its 95 % interval over customers, each drawn with all their dates."""
        if not self.chances.sum() or not len(self.times):
            return Metric(NAN, NAN, NAN)
        pairs = outcomes.pair(self.times, self.chances)
        found = bootstrap.measure(pairs, {"share": lambda drawn: level.bias(drawn) + 1}, draws, seed)["share"]
        return Metric(self.value, max(found.low, 0.0), min(found.high, 1.0))


def flip_back(tiers: Tiers) -> Share:
    """X, Y, X in three consecutive scorings, out of all the threes in which the customer was scored.

    >>> flip_back(np.array([["A", "C", "A", "A"], ["C", "C", "D", "D"], ["", "D", "C", "D"]])).times
    array([1., 0., 1.])
    >>> flip_back(np.array([["A", "C", "A", "A"], ["C", "C", "D", "D"], ["", "D", "C", "D"]])).value
    0.4
    """
    first, second, third = tiers[:, :-2], tiers[:, 1:-1], tiers[:, 2:]
    is_scored = (first != "") & (second != "") & (third != "")
    return _share((first == third) & (first != second) & is_scored, is_scored)


def moved(tiers: Tiers) -> Share:
    """Another tier than at the scoring before, out of all the twos in which the customer was scored.

    >>> moved(np.array([["A", "C", "A"], ["", "D", "D"]])).value
    0.6666666666666666
    """
    before, after = tiers[:, :-1], tiers[:, 1:]
    is_scored = (before != "") & (after != "")
    return _share((before != after) & is_scored, is_scored)


def captured(tiers: Tiers, actual: Vector) -> Share:
    """The share of all realised value that customers in A and B brought; `actual` is nan where it is not known.

    >>> captured(np.array([["A", "C"], ["D", "D"]]), np.array([[60.0, 30.0], [10.0, np.nan]])).value
    0.6
    """
    known = np.where((tiers != "") & np.isfinite(actual), actual, 0.0)
    return Share(np.where(_is_high(tiers), known, 0.0).sum(axis=1), known.sum(axis=1))


def crowd(tiers: Tiers, actual: Vector) -> Share:
    """The share of customers who were in A and B, over the dates whose realised value is known.

    >>> crowd(np.array([["A", "C"], ["D", "D"]]), np.array([[60.0, 30.0], [10.0, np.nan]])).value
    0.3333333333333333
    """
    is_known = (tiers != "") & np.isfinite(actual)
    return _share(_is_high(tiers) & is_known, is_known)


def _is_high(tiers: Tiers) -> NDArray[np.bool_]:
    return np.isin(tiers, HIGH_VALUE)


def _share(happened: NDArray[np.bool_], could: NDArray[np.bool_]) -> Share:
    return Share(happened.sum(axis=1).astype(np.float64), could.sum(axis=1).astype(np.float64))
