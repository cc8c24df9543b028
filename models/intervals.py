"""Prediction intervals: the distribution of a customer's realised value, read at its ends and at the value cut.

    P(value <= y) = 1 - p_brings                                   y = 0: most customers of most shops bring nothing
                  + p_brings × P(realised ÷ expected <= y ÷ mu)    y > 0, mu = value ÷ p_brings

`p_brings` is the calibrated probability of any money, and mu the expected money given that there is any. The spread
around mu is the empirical one of customers with a similar mu, on windows later than those of the models.

The 80 % interval starts at 0 if a tenth or more bring nothing, else at the 10 % quantile; it ends at the 90 % quantile.
Its level is set per cell of the grid, so that it covers 80 % of outcomes there: conformal prediction on a predicted
distribution (Chernozhukov, Wüthrich & Zhu 2021) within groups (Vovk, Gammerman & Shafer 2005, section 4.5, "Mondrian").
Where more than 80 % bring nothing, the interval is 0 to 0 and covers more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.scores import INTERVAL_COVERAGE
from tiercast.contract.vectors import Vector
from tiercast.models import calibration
from tiercast.models.calibration import Calibration
from tiercast.tiers import grid
from tiercast.tiers.grid import Cuts

Table = NDArray[np.float64]
TAIL = (1 - INTERVAL_COVERAGE) / 2
LEVELS = np.linspace(0.0, 1.0, 101)
SMALLEST = 1e-9


class Intervals(NamedTuple):
    """The parameters, fitted on windows later than those of the models.

    `brings` calibrates the probability of an order to that of any money. `edges` are inner edges of bins of mu, in
    money; `ratios` has a row per bin: the quantiles of realised ÷ expected at `LEVELS`. `at_levels` has, per cell of
    the grid, the level of the distribution whose interval covers 80 % of outcomes. `high` calibrates the probability of
    reaching the value cut. `kept_if_high` gives the probability that a customer who reaches it also ordered inside the
    churn horizon (None: 1).
    """

    brings: Calibration
    edges: Vector
    ratios: Table
    at_levels: Vector
    high: Calibration
    kept_if_high: Calibration | None


class Spread(NamedTuple):
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
    """The interval, and the probabilities that the value reaches the cut and that the outcome confirms the tier.

    A is confirmed by an order in the churn horizon and a value at the cut or above, C by an order and a value below.
    B, D and E are confirmed by no order in the churn horizon, whatever the value.
    """
    spread = spread_of(model, value, p_order)
    low, high = interval(model, spread, model.at_levels[grid.cell(p_churn, value, cuts.p_churn, cuts.value)])
    reached = p_high(model, spread, cuts)
    loyal_and_high = np.minimum(reached * _kept_if_high(model, p_churn), 1 - p_churn)
    kept_and_low = 1 - p_churn - loyal_and_high
    sure = np.where(tiers == "A", loyal_and_high, np.where(tiers == "C", kept_and_low, p_churn))
    return Certainty(
        low, high, reached, np.where(tiers == "F", np.nan, sure), (low < cuts.value) & (cuts.value <= high)
    )


def spread_of(model: Intervals, value: Vector, p_order: Vector) -> Spread:
    """Each customer's distribution; `p_order` is P(an order in the value horizon)."""
    p_brings = calibration.calibrated(model.brings, p_order)
    if_any = value / np.maximum(p_brings, SMALLEST)
    return Spread(1 - p_brings, if_any, np.searchsorted(model.edges, if_any, side="right"))


def starts_at_zero(spread: Spread) -> NDArray[np.bool_]:
    """Whether the interval starts at 0, because a tenth or more bring nothing."""
    return np.asarray(spread.p_nothing >= TAIL)


def interval(model: Intervals, spread: Spread, level: Vector) -> tuple[Vector, Vector]:
    """(low, high) that cover a share `level` of a customer's distribution."""
    from_zero = starts_at_zero(spread)
    low = quantile(model, spread, np.where(from_zero, 0.0, (1 - level) / 2))
    return low, quantile(model, spread, np.where(from_zero, level, (1 + level) / 2))


def quantile(model: Intervals, spread: Spread, level: Vector) -> Vector:
    """The quantile at `level` of each customer's distribution, money."""
    p_brings = 1 - spread.p_nothing
    share = (level - spread.p_nothing) / np.maximum(p_brings, SMALLEST)
    # fmax and fmin read NaN as 0: prospects, whose money is NaN anyway
    place = np.fmin(np.fmax(share, 0.0), 1.0) * (len(LEVELS) - 1)
    below = np.minimum(place.astype(np.intp), len(LEVELS) - 2)
    start, end = model.ratios[spread.bin, below], model.ratios[spread.bin, below + 1]
    money = spread.if_any * (start + (place - below) * (end - start))
    return np.where(level <= spread.p_nothing, 0.0 * spread.if_any, money)


def share_below(model: Intervals, spread: Spread, money: Vector) -> Vector:
    """P(value <= money), for money >= 0."""
    ratio = money / np.maximum(spread.if_any, SMALLEST)
    among = np.full(len(ratio), np.nan)
    for k in np.flatnonzero(np.bincount(spread.bin)).tolist():
        here = spread.bin == k
        among[here] = np.interp(ratio[here], model.ratios[k], LEVELS)
    return spread.p_nothing + (1 - spread.p_nothing) * np.where(money > 0, among, 0.0)


def p_high(model: Intervals, spread: Spread, cuts: Cuts) -> Vector:
    """The calibrated probability that the realised value reaches the value cut."""
    return calibration.calibrated(model.high, uncalibrated_high(model, spread, cuts))


def uncalibrated_high(model: Intervals, spread: Spread, cuts: Cuts) -> Vector:
    """The same probability from the distribution, before calibration."""
    return 1 - share_below(model, spread, np.full(len(spread.if_any), cuts.value))


def _kept_if_high(model: Intervals, p_churn: Vector) -> Vector:
    if model.kept_if_high is None:
        return np.ones(len(p_churn))
    return calibration.calibrated(model.kept_if_high, 1 - p_churn)
