"""Prediction intervals: the distribution of a customer's realised value, read at its ends and at the value cut.

    P(value <= y) = 1 - p_brings                                   y = 0: most customers of most shops bring nothing
                  + p_brings × P(realised ÷ expected <= y ÷ mu)    y > 0, mu = value ÷ p_brings

`p_brings` is the chance of any money, calibrated; the spread around mu, which is what those who bring some are expected
to bring, is that of customers with a similar mu, as it was seen on windows later than the models, whatever its shape.

Both ends of the range are quantiles of this distribution. `value_high` is always the 90 % quantile: one customer in ten
brings more. `value_low` is the 10 % quantile, which is 0 where bringing nothing has a chance of 10 % or more. The range
from 0 to 0 thus promises that at most one such customer in ten brings anything.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.scores import INTERVAL_TAIL
from tiercast.contract.vectors import Vector
from tiercast.models import calibration
from tiercast.models.calibration import Calibration
from tiercast.tiers import grid
from tiercast.tiers.grid import Cuts

Table = NDArray[np.float64]
LEVELS = np.linspace(0.0, 1.0, 101)
SMALLEST = 1e-9


class Intervals(NamedTuple):
    """The parameters, fitted on windows later than those of the models.

    `brings` calibrates the chance of an order into that of any money. `edges` are inner edges in money, of what is
    expected of those who bring some; `ratios` has a row per bin: the quantiles of realised ÷ expected at `LEVELS`.
    `high` calibrates the chance of reaching the value cut, `kept_if_high` the chance that who reaches it also ordered
    inside the churn horizon (None: always).
    """

    brings: Calibration
    edges: Vector
    ratios: Table
    high: Calibration
    kept_if_high: Calibration | None


class ValueDistribution(NamedTuple):
    """A customer's distribution: the probability of no money, the expected money if there is any, and its bin."""

    p_nothing: Vector
    if_any: Vector
    bin: NDArray[np.intp]


class Certainty(NamedTuple):
    """The five columns of a score about its uncertainty; NaN (and False) for prospects."""

    value_low: Vector
    value_high: Vector
    p_high_value: Vector
    tier_confidence: Vector
    is_borderline: NDArray[np.bool_]


def certainty(
    model: Intervals, value: Vector, p_churn: Vector, p_order: Vector, tiers: NDArray[np.str_], cuts: Cuts
) -> Certainty:
    """The range, the chances that the value cut is reached and that what happens bears the tier out.

    A is confirmed by an order in the churn horizon and a value at the cut or above, C by an order and a value below.
    B, D and E are confirmed by no order in the churn horizon, whatever the value.
    """
    spread = spread_of(model, value, p_order)
    low, high = quantile(model, spread, INTERVAL_TAIL), quantile(model, spread, 1 - INTERVAL_TAIL)
    reached = p_high(model, spread, cuts)
    loyal_and_high = np.minimum(reached * _kept_if_high(model, p_churn), 1 - p_churn)
    kept_and_low = 1 - p_churn - loyal_and_high
    sure = np.where(tiers == "A", loyal_and_high, np.where(tiers == "C", kept_and_low, p_churn))
    is_close = grid.is_borderline(tiers, p_churn, value, cuts)
    return Certainty(low, high, reached, np.where(tiers == "F", np.nan, sure), is_close)


def spread_of(model: Intervals, value: Vector, p_order: Vector) -> ValueDistribution:
    """Each customer's distribution; `p_order` is P(an order in the value horizon)."""
    p_brings = calibration.calibrated(model.brings, p_order)
    if_any = value / np.maximum(p_brings, SMALLEST)
    return ValueDistribution(1 - p_brings, if_any, np.searchsorted(model.edges, if_any, side="right"))


def quantile(model: Intervals, spread: ValueDistribution, level: float) -> Vector:
    """The money that a share `level` of such customers does not exceed."""
    p_brings = 1 - spread.p_nothing
    share = (level - spread.p_nothing) / np.maximum(p_brings, SMALLEST)
    # fmax and fmin read NaN as 0: prospects, whose money is NaN anyway
    place = np.fmin(np.fmax(share, 0.0), 1.0) * (len(LEVELS) - 1)
    below = np.minimum(place.astype(np.intp), len(LEVELS) - 2)
    start, end = model.ratios[spread.bin, below], model.ratios[spread.bin, below + 1]
    money = spread.if_any * (start + (place - below) * (end - start))
    return np.where(level <= spread.p_nothing, 0.0 * spread.if_any, money)


def share_below(model: Intervals, spread: ValueDistribution, money: Vector) -> Vector:
    """P(value <= money), for money >= 0."""
    ratio = money / np.maximum(spread.if_any, SMALLEST)
    among = np.full(len(ratio), np.nan)
    for k in np.flatnonzero(np.bincount(spread.bin)).tolist():
        here = spread.bin == k
        among[here] = np.interp(ratio[here], model.ratios[k], LEVELS)
    return spread.p_nothing + (1 - spread.p_nothing) * np.where(money > 0, among, 0.0)


def p_high(model: Intervals, spread: ValueDistribution, cuts: Cuts) -> Vector:
    """The calibrated probability that the realised value reaches the value cut."""
    return calibration.calibrated(model.high, uncalibrated_high(model, spread, cuts))


def uncalibrated_high(model: Intervals, spread: ValueDistribution, cuts: Cuts) -> Vector:
    """The same probability from the distribution, before calibration."""
    return 1 - share_below(model, spread, np.full(len(spread.if_any), cuts.value))


def _kept_if_high(model: Intervals, p_churn: Vector) -> Vector:
    if model.kept_if_high is None:
        return np.ones(len(p_churn))
    return calibration.calibrated(model.kept_if_high, 1 - p_churn)
