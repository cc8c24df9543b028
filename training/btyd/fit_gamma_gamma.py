"""Fit Gamma-Gamma by maximum likelihood, with a population mean that always exists.

`note` tells which of four ways the data went:
1. the likelihood has a proper maximum with q > 1: that is the answer, with standard errors;
2. it wants q <= 1, where the population has no mean: then the model's mean is held at the observed mean
   order value, and the other two directions are fitted;
3. it keeps creeping towards 0 or infinity (everybody spends alike, or every order of a customer does): a
   wide normal prior on the log-parameters settles what the data leave open;
4. not even that has a maximum, or all means are equal: each customer's own mean, shrunk to that of all, stands in (see
   `shrunken_mean`).
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.models import gamma_gamma
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.training.btyd import checks, gamma_gamma_likelihood, optimise, shrunken_mean
from tiercast.training.btyd.gamma_gamma_likelihood import Spending
from tiercast.training.btyd.optimise import Objective, Optimum

STAGES = (4_000, 60_000)
PRIOR_SPREAD = 3.0
HEAVY_TAIL = 0.02  # q - 1 below this: a population mean of fifty times p v is not an estimate

INTERIOR = "The likelihood has a proper maximum."
MEAN_HELD = "Order values are so uneven that the model has no mean of its own; it is held at the observed one."
SHRUNKEN = "Spending is too even for the model: each customer's own mean, shrunk to that of all, stands in for it."
PRIOR = "The likelihood has no proper maximum; a wide prior decided what the data leave open."
STARTS = ((1.0, 1.0, 1.0), (6.0, 3.0, 0.5), (3.0, 20.0, 6.0), (40.0, 2.0, 0.05))


class GammaGammaFit(NamedTuple):
    """`log_likelihood` is the customers' total, without the prior; `standard_errors` needs a proper maximum."""

    params: GammaGamma
    log_likelihood: float
    standard_errors: GammaGamma | None
    n_customers: int
    note: str


def fit(x: Vector, m: Vector, weights: Vector | None = None) -> GammaGammaFit:
    """The most likely Gamma-Gamma for customers with x repeat orders of mean value m.

    Any money unit; `v` comes back in it. Only rows with x > 0 and m > 0 enter. `weights` counts customers
    who share a row. Raises NotEnoughData where nobody spent anything.

    >>> random = np.random.default_rng(1)
    >>> x, own_mean = random.integers(1, 9, 4000), 6.0 * 15.0 / random.gamma(4.0, size=4000)
    >>> m = own_mean * random.gamma(6.0 * x) / (6.0 * x)
    >>> fit(x, m).note
    'The likelihood has a proper maximum.'
    """
    x, m, weights = checks.order_values(x, m, weights)
    if len(x) < checks.FEWEST_HISTORIES or m.min() == m.max():
        return _shrunken(x, m, weights)
    spending = gamma_gamma_likelihood.summarise(x, m, weights)
    try:
        return _most_likely(spending)
    except errors.FitFailed:
        return _shrunken(x, m, weights)


def _most_likely(spending: Spending) -> GammaGammaFit:
    """Raises FitFailed where no maximum was reached."""
    best = _climb(spending)
    if best.is_interior and best.point[1] > np.log(HEAVY_TAIL):
        return _as_fit(spending, best, INTERIOR)
    if best.point[1] <= np.log(HEAVY_TAIL):
        return _with_mean_held(spending)
    return _as_fit(spending, _with_prior(spending, partial(gamma_gamma_likelihood.gamma_gamma, spending), 3), PRIOR)


def _shrunken(x: Vector, m: Vector, weights: Vector | None) -> GammaGammaFit:
    params = shrunken_mean.fit(x, m, weights)
    customers = np.ones(len(x)) if weights is None else weights
    total = float(np.sum(customers * gamma_gamma.log_likelihood(params, x, m)))
    return GammaGammaFit(params, total, None, round(float(customers.sum())), SHRUNKEN)


def _climb(spending: Spending) -> Optimum:
    samples = (gamma_gamma_likelihood.thin(spending, keep) for keep in STAGES if keep < len(spending.x))
    objectives = [partial(gamma_gamma_likelihood.gamma_gamma, sample) for sample in (*samples, spending)]
    return optimise.climb_by_stages(objectives, map(np.log, STARTS))


def _with_mean_held(spending: Spending) -> GammaGammaFit:
    """Maximise over log p and log(q - 1), with v = mean (q - 1) / p."""
    log_mean = float(np.log(spending.mean))

    def whole(point: Vector) -> Vector:
        return np.array([point[0], point[1], log_mean + point[1] - point[0]])

    def held(point: Vector) -> tuple[float, Vector]:
        value, (by_p, by_q, by_v) = gamma_gamma_likelihood.gamma_gamma(spending, whole(point))
        return value, np.array([by_p - by_v, by_q + by_v])

    end = optimise.best_of(held, (np.log(start)[:2] for start in STARTS))
    end = end if end.is_interior else _with_prior(spending, held, 2)
    return _as_fit(spending, end._replace(point=whole(end.point)), MEAN_HELD)


def _with_prior(spending: Spending, objective: Objective, dimensions: int) -> Optimum:
    starts = [np.log(start)[:dimensions] for start in STARTS]
    end = optimise.best_of(optimise.with_prior(objective, starts[1], PRIOR_SPREAD), starts)
    if not end.is_interior:
        raise errors.FitFailed(
            "the Gamma-Gamma likelihood reached no maximum, not even with a prior",
            count=round(float(spending.weight.sum())),
            unit="customers",
            first=f"log-parameters at the last step: {np.round(end.point, 2).tolist()}",
            hint="check the amount column; order values that hardly vary need no model.",
        )
    return end


def _as_fit(spending: Spending, end: Optimum, note: str) -> GammaGammaFit:
    p, over_one, v = np.exp(end.point)
    value, _ = gamma_gamma_likelihood.gamma_gamma(spending, end.point)
    params = GammaGamma(float(p), 1.0 + float(over_one), float(v) * spending.money_scale)
    spread = None
    if note == INTERIOR:
        spread = GammaGamma(*map(float, optimise.standard_errors(end.hessian, np.array([p, over_one, params.v]))))
    total = gamma_gamma_likelihood.in_money(spending, value)
    return GammaGammaFit(params, total, spread, round(float(spending.weight.sum())), note)
