"""Fit BG/NBD by maximum likelihood: exact, fast, and never silently wrong.

Every data set ends in one of three ways, told by `note`:
1. the likelihood has a proper maximum: that is the answer, with standard errors;
2. leaving does not improve on the model without it: then `a` is 0 and nobody drops out (NBD);
3. the likelihood keeps creeping up towards a parameter of 0 or infinity: a wide normal prior on the
   log-parameters settles what the data leave open. There are no standard errors then.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from contract import errors
from models.bgnbd import BgNbd
from models.vectors import Vector
from training.btyd import bgnbd_likelihood, checks, optimise
from training.btyd.bgnbd_likelihood import Histories
from training.btyd.optimise import Optimum

STAGES = (4_000, 60_000)
DETECTABLE = 1e-4  # log-likelihood that dropout must add to be believed
PRIOR_SPREAD = 3.0  # a factor of e ** 3 = 20 either way is one standard deviation

INTERIOR = "The likelihood has a proper maximum."
NO_DROPOUT = "No dropout can be detected: the model without it (NBD) explains these customers as well."
PRIOR = "The likelihood has no proper maximum; a wide prior decided what the data leave open."


class BgNbdFit(NamedTuple):
    """`log_likelihood` is the customers' total, without the prior; `standard_errors` needs a proper maximum."""

    params: BgNbd
    log_likelihood: float
    standard_errors: BgNbd | None
    n_customers: int
    has_dropout: bool
    note: str


def fit(x: Vector, t_x: Vector, T: Vector, weights: Vector | None = None) -> BgNbdFit:
    """The most likely BG/NBD for customers with x repeat orders, the last at age t_x, observed to age T.

    Any time unit; `alpha` comes back in it. `weights` counts customers who share a row. Raises
    NotEnoughData where there is nothing to learn from, FitFailed where no maximum was reached.

    >>> x, t_x, T = np.array([0.0, 1, 2, 5, 0, 3]), np.array([0.0, 9, 30, 12, 0, 55]), np.full(6, 60.0)
    >>> fit(x, t_x, T, weights=np.full(6, 100.0)).has_dropout
    True
    """
    x, t_x, T, weights = checks.histories(x, t_x, T, weights)
    histories = bgnbd_likelihood.summarise(x, t_x, T, weights)
    n_customers = round(float(histories.age_weight.sum()))
    without = _fit_nbd(histories)
    best = _climb(histories, without)
    if best.value - without.value < DETECTABLE:
        return _as_nbd(histories, without, n_customers)
    if best.is_interior:
        return _as_fit(histories, best, n_customers, INTERIOR)
    settled = _as_fit(histories, _with_prior(histories, best), n_customers, PRIOR)
    plain = _as_nbd(histories, without, n_customers)
    return settled if settled.log_likelihood > plain.log_likelihood else plain


def _fit_nbd(histories: Histories) -> Optimum:
    objective = partial(bgnbd_likelihood.nbd, histories)
    return optimise.best_of(objective, (start[:2] for start in _starts(histories)))


def _climb(histories: Histories, without: Optimum) -> Optimum:
    """Through samples to everything; if that drifts away, once more from the model without dropout."""
    samples = (bgnbd_likelihood.thin(histories, keep) for keep in STAGES if keep < len(histories.x))
    objectives = [partial(bgnbd_likelihood.bg_nbd, sample) for sample in (*samples, histories)]
    best = optimise.climb_by_stages(objectives, _starts(histories))
    if best.is_interior:
        return best
    nearby = np.clip(np.append(without.point, np.log([0.05, 1.0])), -optimise.NOT_TOO_FAR, optimise.NOT_TOO_FAR)
    return max(best, optimise.maximise(objectives[-1], nearby), key=lambda end: end.value)


def _starts(histories: Histories) -> list[Vector]:
    """Different beliefs about variety and leaving, each with the observed order rate."""
    rate = float(histories.age_orders.sum() / (histories.ages @ histories.age_weight))
    beliefs = ((0.3, 0.5, 2.0), (1.0, 0.1, 1.0), (0.7, 3.0, 9.0), (0.3, 0.2, 0.1))
    return [np.log([r, r / rate, a, b]) for r, a, b in beliefs]


def _with_prior(histories: Histories, drift: Optimum) -> Optimum:
    objective = optimise.with_prior(partial(bgnbd_likelihood.bg_nbd, histories), _starts(histories)[0], PRIOR_SPREAD)
    return _arrived(optimise.best_of(objective, [np.clip(drift.point, -6.0, 6.0), *_starts(histories)]), histories)


def _arrived(end: Optimum, histories: Histories) -> Optimum:
    if end.is_interior:
        return end
    raise errors.FitFailed(
        "the BG/NBD likelihood reached no maximum, not even with a prior",
        count=round(float(histories.count_weight.sum())),
        unit="customers",
        first=f"log-parameters at the last step: {np.round(end.point, 2).tolist()}",
        hint="use a longer history, so that more customers have repeat orders.",
    )


def _as_fit(histories: Histories, end: Optimum, n_customers: int, note: str) -> BgNbdFit:
    r, alpha, a, b = map(float, np.exp(end.point))
    value, _ = bgnbd_likelihood.bg_nbd(histories, end.point)
    params = BgNbd(r, alpha * histories.time_scale, a, b)
    sure = optimise.standard_errors(end.hessian, np.array(params)) if note == INTERIOR else None
    spread = None if sure is None else BgNbd(*map(float, sure))
    return BgNbdFit(params, bgnbd_likelihood.in_days(histories, value), spread, n_customers, True, note)


def _as_nbd(histories: Histories, end: Optimum, n_customers: int) -> BgNbdFit:
    note = NO_DROPOUT
    if not end.is_interior:
        note = f"{NO_DROPOUT} {PRIOR}"
        objective = partial(bgnbd_likelihood.nbd, histories)
        starts = [start[:2] for start in _starts(histories)]
        end = _arrived(optimise.best_of(optimise.with_prior(objective, starts[0], PRIOR_SPREAD), starts), histories)
    r, alpha = map(float, np.exp(end.point))
    value, _ = bgnbd_likelihood.nbd(histories, end.point)
    params = BgNbd(r, alpha * histories.time_scale, 0.0, 1.0)
    return BgNbdFit(params, bgnbd_likelihood.in_days(histories, value), None, n_customers, False, note)
