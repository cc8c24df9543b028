"""Platt's (1999) calibration: a line from a model's log-odds to those observed on later time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from tiercast.contract import vectors
from tiercast.contract.vectors import Vector

SMALLEST = 1e-6


class Calibration(NamedTuple):
    """Log-odds = intercept + slope × the model's log-odds."""

    intercept: float = 0.0
    slope: float = 1.0


def log_odds(p: Vector) -> Vector:
    """Log-odds of a probability, bounded at ±13.8."""
    return np.asarray(logit(vectors.bounded(p, SMALLEST, 1 - SMALLEST)))


def calibrated(line: Calibration, p: Vector) -> Vector:
    """The calibrated probability.

    >>> calibrated(Calibration(0.0, 2.0), np.array([0.5, 0.8])).round(3)
    array([0.5  , 0.941])
    """
    return np.asarray(expit(line.intercept + line.slope * log_odds(p)))
