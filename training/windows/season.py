"""The season in churn: visible in the same window a year ago, not in the history of a single customer.

The shift of a window is how far the closed form's log-odds were off. Where the shifts of earlier windows were close to
those of a year before, the coming window is expected to have last year's shift too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import optimize
from scipy.special import expit

from tiercast.contract.vectors import Vector
from tiercast.models import calibration

FURTHEST = 5.0
LEAST_WINDOWS = 3
CLEARLY_BETTER = 2 / 3


def shift(p_churn: Vector, churned: Vector) -> float:
    """The number to add to the log-odds for the expected churners to equal the actual ones; within ±5.

    >>> round(shift(np.array([0.5, 0.5, 0.5, 0.5]), np.array([1.0, 1.0, 1.0, 0.0])), 3)      # the log-odds of 3 in 4
    1.099
    """
    z, share = calibration.log_odds(p_churn), float(churned.mean())

    def missing(move: float) -> float:
        return float(expit(z + move).mean()) - share

    if missing(-FURTHEST) >= 0 or missing(FURTHEST) <= 0:
        return FURTHEST if share > float(expit(z).mean()) else -FURTHEST
    return float(optimize.brentq(missing, -FURTHEST, FURTHEST))


def follows_last_year(shifts: Sequence[float], year_before: Sequence[float | None]) -> bool:
    """Whether last year's shifts are clearly closer to this year's than their mean: a third off the error.

    Needs three windows whose year before is known.

    >>> follows_last_year([0.4, -0.4, 0.1], [0.5, -0.3, 0.0])
    True
    >>> follows_last_year([0.1, 0.0, 0.1], [0.5, -0.3, 0.0])
    False
    """
    known = [(now, then) for now, then in zip(shifts, year_before, strict=True) if then is not None]
    if len(known) < LEAST_WINDOWS:
        return False
    now, then = (np.array(side) for side in zip(*known, strict=True))
    by_last_year, by_mean = np.abs(now - then).mean(), np.abs(now - now.mean()).mean()
    return bool(by_last_year <= CLEARLY_BETTER * by_mean)
