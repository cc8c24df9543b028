"""Fit a generalised linear model that is shrunk to the closed form: logistic for churn, quasi-Poisson for money.

The closed form enters as the start of the link, so a coefficient of 0 everywhere is the closed form itself. A normal
prior around 0, worth 50 customers on standardised columns, holds all coefficients; Newton's method finds the maximum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from tiercast.contract import errors, vectors
from tiercast.contract.vectors import Matrix, Vector
from tiercast.models import frame as frames
from tiercast.models import relative
from tiercast.models.linear import START, LinearModel
from tiercast.training.fit import boosting
from tiercast.training.fit.boosting import Objective, Target
from tiercast.training.windows.snapshots import Snapshot

PRIOR_CUSTOMERS = 50.0
MOST_STEPS, SMALLEST_GAIN, LARGEST_LINK = 50, 1e-9, 30.0
LEAST_SHARE = 1e-4  # of the mean: who is expected to bring less counts no more than those who bring this much


class Observations(NamedTuple):
    """One row per customer: the closed form's link, standardised columns, the outcome and its weight."""

    start: Vector
    columns: Matrix
    outcome: Vector
    weight: Vector


class Standardised(NamedTuple):
    """Columns in units of their spread, and the means and spreads."""

    columns: Matrix
    means: Vector
    scales: Vector


def fit(target: Target, snapshots: tuple[Snapshot, ...], weights: tuple[float, ...]) -> LinearModel:
    """The model on all given windows. Raises FitFailed where no finite maximum is reached."""
    names = relative.linear_names(target.features, target.days)
    start = np.concatenate([target.start(snapshot) for snapshot in snapshots])
    given = [relative.columns(snapshot.frame, names, target.days) for snapshot in snapshots]
    columns = np.column_stack([start, np.concatenate([frames.matrix(each, names) for each in given])])
    outcome = np.concatenate([target.outcome(snapshot) for snapshot in snapshots])
    weight = boosting.per_customer(snapshots, weights)
    scaled = standardise(columns, weight)
    point = maximise(observe(target.objective, start, scaled.columns, outcome, weight), target.objective)
    mean, scale, coefficients = (tuple(part.tolist()) for part in (scaled.means, scaled.scales, point[1:]))
    return LinearModel((START, *names), mean, scale, coefficients, float(point[0]))


def standardise(columns: Matrix, weight: Vector) -> Standardised:
    """Columns with weighted mean 0 and spread 1; a constant column becomes 0."""
    means = np.average(columns, axis=0, weights=weight)
    scales = np.sqrt(np.average((columns - means) ** 2, axis=0, weights=weight))
    scales = np.where(scales > 0, scales, 1.0)
    return Standardised((columns - means) / scales, means, scales)


def maximise(sample: Observations, objective: Objective) -> Vector:
    """Intercept and coefficients with the highest posterior; both likelihoods are concave, so there is one.

    >>> start, outcome = np.zeros(2000), np.repeat([0.0, 1.0], 1000)
    >>> x = np.where(outcome > 0, 1.0, -1.0) * np.where(np.arange(2000) % 5 == 0, -1, 1)        # right four times in 5
    >>> maximise(Observations(start, x[:, None], outcome, np.ones(2000)), "binary").round(2)[1]
    np.float64(1.21)
    """
    columns = np.column_stack([np.ones(len(sample.start)), sample.columns])
    point = np.zeros(columns.shape[1])
    loss = _loss(sample, sample.start, objective)
    for _ in range(MOST_STEPS):
        link = sample.start + columns @ point
        miss, curvature = _slopes(sample, link, objective)
        hessian = (columns * curvature[:, None]).T @ columns + PRIOR_CUSTOMERS * np.eye(len(point))
        step: Vector = np.linalg.solve(hessian, columns.T @ miss + PRIOR_CUSTOMERS * point).astype(np.float64)
        point, before, loss = _halved(sample, columns, point, step, loss, objective)
        if before - loss <= SMALLEST_GAIN * (1.0 + abs(loss)):
            return point
    raise errors.FitFailed(
        "the generalised linear model did not converge",
        count=len(sample.start),
        unit="customers",
        first=f"coefficients at the last step: {np.round(point, 2).tolist()}",
        hint="check the amount column for outliers",
    )


def observe(objective: Objective, start: Vector, columns: Matrix, outcome: Vector, weight: Vector) -> Observations:
    """Money in units of the mean closed form, each customer weighted by 1 / √(closed form): money varies with it."""
    if objective == "binary":
        return Observations(start, columns, outcome, weight)
    unit = float(np.log(np.average(np.exp(start), weights=weight)))
    relative_start = start - unit
    spread = np.exp(-0.5 * np.maximum(relative_start, np.log(LEAST_SHARE)))
    return Observations(relative_start, columns, outcome / np.exp(unit), weight * spread)


def _halved(
    sample: Observations, columns: Matrix, point: Vector, step: Vector, loss: float, objective: Objective
) -> tuple[Vector, float, float]:
    """The point after the longest of step, step / 2, step / 4 ... that lowers the loss; the loss before and after."""
    for _ in range(30):
        there = point - step
        after = _loss(sample, sample.start + columns @ there, objective) + _prior(there)
        if after <= loss + 1e-12:
            return there, loss, after
        step = step / 2
    return point, loss, loss


def _prior(point: Vector) -> float:
    return 0.5 * PRIOR_CUSTOMERS * float(point @ point)


def _loss(sample: Observations, link: Vector, objective: Objective) -> float:
    if objective == "binary":
        return float(sample.weight @ (np.logaddexp(0.0, link) - sample.outcome * link))
    bounded = vectors.bounded(link, -LARGEST_LINK, LARGEST_LINK)
    return float(sample.weight @ (np.exp(bounded) - sample.outcome * bounded))


def _slopes(sample: Observations, link: Vector, objective: Objective) -> tuple[Vector, Vector]:
    """First and second derivative of the loss by each customer's link."""
    if objective == "binary":
        mean = expit(link)
        return sample.weight * (mean - sample.outcome), sample.weight * mean * (1 - mean)
    mean = np.exp(vectors.bounded(link, -LARGEST_LINK, LARGEST_LINK))
    return sample.weight * (mean - sample.outcome), sample.weight * mean
