"""Platt's (1999) calibration: a line from a model's log-odds to those observed on later time."""

from __future__ import annotations

import numpy as np
from scipy import optimize
from scipy.special import expit

from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.models.calibration import Calibration

PRIOR_CUSTOMERS = 50.0


def fit(log_odds: Vector, churned: Vector) -> Calibration:
    """Intercept and slope by maximum likelihood, held towards (0, 1) by a prior worth 50 customers.

    >>> z = np.array([-1.0, -1.0, 1.0, 1.0] * 500)
    >>> fit(z, np.array([0.0, 0.0, 1.0, 1.0] * 500)).slope > 1
    True
    """
    n = len(log_odds)

    def loss(line: Vector) -> tuple[float, Vector]:
        z = line[0] + line[1] * log_odds
        miss = expit(z) - churned
        pull = PRIOR_CUSTOMERS / n * (line - np.array([0.0, 1.0]))
        value = np.mean(np.logaddexp(0.0, z) - churned * z) + 0.5 * float(pull @ (line - np.array([0.0, 1.0])))
        return float(value), np.array([miss.mean(), (miss * log_odds).mean()]) + pull

    found = optimize.minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B")
    if not np.all(np.isfinite(found.x)):
        raise errors.FitFailed("the calibration did not converge", first=str(found.message), hint="check the labels")
    return Calibration(float(found.x[0]), float(found.x[1]))
