"""Fit the distribution of what customers bring on predictions for windows the models had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.models import calibration, intervals
from tiercast.models.calibration import Calibration
from tiercast.models.intervals import Intervals, ValueDistribution
from tiercast.tiers.grid import Cuts
from tiercast.training.fit import platt

MOST_BINS = 8
LEAST_IN_BIN = 150


class Outcomes(NamedTuple):
    """One row per customer and later window: what was predicted, what happened."""

    value: Vector
    p_churn: Vector
    p_order: Vector
    actual: Vector
    churned: Vector


def joined(windows: Sequence[Outcomes]) -> Outcomes:
    """The customers of several windows, one after the other."""
    return Outcomes(*(np.concatenate(column) for column in zip(*windows, strict=True)))


def fit(seen: Outcomes, cuts: Cuts) -> Intervals:
    """The chance of any money, the spread around the expected of those who bring some, and the chance of the cut."""
    brought = seen.actual > 0
    brings = platt.fit(calibration.log_odds(seen.p_order), brought.astype(np.float64))
    blank = Intervals(brings, np.zeros(0), np.ones((1, len(intervals.LEVELS))), Calibration(), None)
    edges = _edges(intervals.spread_of(blank, seen.value, seen.p_order).if_any[brought])
    spread = intervals.spread_of(blank._replace(edges=edges), seen.value, seen.p_order)
    model = blank._replace(edges=edges, ratios=_ratios(seen, spread, len(edges) + 1))
    is_high = seen.actual >= cuts.value
    expected = calibration.log_odds(intervals.uncalibrated_high(model, spread, cuts))
    return model._replace(
        high=platt.fit(expected, is_high.astype(np.float64)), kept_if_high=_kept_if_high(seen, is_high)
    )


def _edges(if_any: Vector) -> Vector:
    """Inner edges of bins of equal count."""
    n_bins = int(np.clip(len(if_any) // LEAST_IN_BIN, 1, MOST_BINS))
    return np.unique(np.quantile(if_any, np.arange(1, n_bins) / n_bins)) if n_bins > 1 else np.zeros(0)


def _ratios(seen: Outcomes, spread: ValueDistribution, n_bins: int) -> intervals.Table:
    """Per bin the quantiles of realised ÷ expected of those who brought something; of all where a bin is empty."""
    brought = seen.actual > 0
    ratio = seen.actual / np.maximum(spread.if_any, intervals.SMALLEST)
    everybody = ratio[brought] if brought.any() else np.ones(1)
    groups = (ratio[brought & (spread.bin == k)] for k in range(n_bins))
    return np.array([np.quantile(g if len(g) else everybody, intervals.LEVELS) for g in groups])


def _kept_if_high(seen: Outcomes, is_high: NDArray[np.bool_]) -> Calibration | None:
    """None where every high value came with an order in the churn horizon, as it must when that is the longer one."""
    kept = 1 - seen.churned[is_high]
    return platt.fit(calibration.log_odds(1 - seen.p_churn[is_high]), kept) if (kept < 1).any() else None
