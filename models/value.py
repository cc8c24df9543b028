"""Expected money in the value horizon: the closed form, corrected by trees and scaled to a level.

log value = log(level) + log(closed form) + shrink * trees + by_churn * log(kept / kept by the closed form)

Ranking customers and predicting the total are two problems. Trees rank better, but overfit. Earlier windows choose how
much of their correction is used: `shrink`, from 0 (the closed form alone) to 1. Without an earlier window there are no
trees. Then the churn model, whose shorter horizon could be tested, corrects the closed form's chance of an order.
`level` is one constant, frozen in the bundle: the forecast of totals that was best on earlier windows sets it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tiercast.contract import vectors
from tiercast.contract.vectors import Vector
from tiercast.models import btyd
from tiercast.models.frame import Frame
from tiercast.models.trees import boosted
from tiercast.models.trees.boosted import BoostedTrees

SMALLEST = 1e-9
LARGEST_LOG = 60.0


class ValueModel(NamedTuple):
    """Without `trees` and with `by_churn` 0 it is the closed form times `level`."""

    trees: BoostedTrees | None
    shrink: float = 0.0
    level: float = 1.0
    by_churn: float = 0.0


def offset(frame: Frame) -> Vector:
    """The log of the closed form's money, bounded where it is 0."""
    return np.log(np.maximum(frame[btyd.VALUE], SMALLEST))


def correction(trees: BoostedTrees | None, frame: Frame) -> Vector:
    """What the trees add to the log of the closed form."""
    return boosted.raw_score(trees, frame, np.zeros(len(frame[btyd.VALUE])))


def corrected(closed_form: Vector, correction: Vector, shrink: float) -> Vector:
    """The closed form's money times exp(shrink × correction); >= 0, before scaling to the level.

    >>> corrected(np.array([10.0, 0.0]), np.array([np.log(4.0), 1.0]), 0.5)
    array([20.,  0.])
    """
    return closed_form * np.exp(vectors.bounded(shrink * correction, -LARGEST_LOG, LARGEST_LOG))


def churn_correction(frame: Frame, p_churn: Vector) -> Vector:
    """The log ratio of P(an order in the churn horizon): the calibrated churn model's to the closed form's."""
    kept, closed = (vectors.bounded(1 - p, SMALLEST, 1.0) for p in (p_churn, frame[btyd.P_CHURN]))
    return np.log(kept) - np.log(closed)


def value(model: ValueModel, frame: Frame, p_churn: Vector) -> Vector:
    """Expected money in the value horizon, >= 0; NaN for prospects. `p_churn` is the churn model's."""
    by_trees = corrected(frame[btyd.VALUE], correction(model.trees, frame), model.shrink)
    if not model.by_churn:
        return model.level * by_trees
    return model.level * corrected(by_trees, churn_correction(frame, p_churn), model.by_churn)
