"""Whether a stated 30 % happens three times in ten: the quality of probabilities, not of ranks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import outcomes
from tiercast.training.evaluation.outcomes import Pairs

N_BINS = 10
_NEVER = float(np.finfo(np.float64).eps)


class Reliability(NamedTuple):
    """One entry per bin of equal count, lowest probabilities first."""

    stated: Vector
    observed: Vector
    weight: Vector


def brier(pairs: Pairs) -> float:
    """Mean squared distance between probability and what happened, in [0, 1]; lower is better.

    >>> brier(outcomes.pair(np.array([0.9, 0.2]), np.array([1.0, 0.0])))
    0.025
    """
    return outcomes.mean(pairs, (pairs.forecast - pairs.actual) ** 2)


def log_loss(pairs: Pairs) -> float:
    """Mean surprise in nats; lower is better.

    Probabilities are kept 2.2e-16 away from 0 and 1, so that one confident mistake costs 36 and not infinity:
    a hard 0/1 rule reads as 36 times its error rate.
    """
    p = np.clip(pairs.forecast, _NEVER, 1 - _NEVER)
    surprise = np.asarray(special.xlogy(pairs.actual, p) + special.xlog1py(1 - pairs.actual, -p), dtype=np.float64)
    return -outcomes.mean(pairs, surprise)


def ece(pairs: Pairs) -> float:
    """Expected calibration error: mean gap between stated and observed rate over ten equal-count bins.

    In [0, 1]; lower is better. Chance alone keeps it above 0 in a finite sample, also for true probabilities.
    """
    bins = outcomes.equal_count_bins(pairs, N_BINS)
    return float(np.sum(np.abs(bins.forecast - bins.actual)) / np.sum(bins.weight))


def reliability_curve(pairs: Pairs, bins: int = N_BINS) -> Reliability:
    """Stated and observed churn rate in bins of equal count, from the lowest probability up."""
    weight, stated, observed = (total[::-1] for total in outcomes.equal_count_bins(pairs, bins))
    return Reliability(stated / weight, observed / weight, weight)


def wilson(rate: Vector, n: Vector) -> tuple[Vector, Vector]:
    """95 % interval of a share observed among n customers; inside [0, 1] also for a share of 0 or 1.

    Wilson (1927), JASA 22(158).

    >>> low, high = wilson(np.array([0.0]), np.array([10.0]))       # 0 of 10: at most z^2 / (10 + z^2) = 0.2775
    >>> low.round(4), high.round(4)
    (array([0.]), array([0.2775]))
    """
    z2 = float(special.ndtri(0.975)) ** 2
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)
