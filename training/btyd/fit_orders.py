"""Fit BG/NBD, MBG/NBD or Pareto/NBD by maximum likelihood: exact, fast, and never silently wrong.

Every data set ends in one of three ways, told by `note`:
1. the likelihood has a proper maximum: that is the answer, with standard errors;
2. leaving does not improve on the model without it: then `a` (or `s`) is 0 and nobody drops out (NBD);
3. the likelihood keeps creeping up towards a parameter of 0 or infinity: a wide normal prior on the
   log-parameters settles what the data leave open. There are no standard errors then.
"""

from __future__ import annotations

from functools import partial
from typing import Generic, NamedTuple

import numpy as np

from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.training.btyd import checks, optimise
from tiercast.training.btyd import histories as summaries
from tiercast.training.btyd.families import Family, M
from tiercast.training.btyd.histories import Histories
from tiercast.training.btyd.optimise import Optimum

DETECTABLE = 1e-4  # log-likelihood that dropout must add to be believed
PRIOR_SPREAD = 3.0  # a factor of e ** 3 = 20 either way is one standard deviation

INTERIOR = "The likelihood has a proper maximum."
NO_DROPOUT = "No dropout can be detected: the model without it (NBD) explains these customers as well."
PRIOR = "The likelihood has no proper maximum; a wide prior decided what the data leave open."


class OrdersFit(NamedTuple, Generic[M]):
    """`log_likelihood` is the customers' total, without the prior; `standard_errors` needs a proper maximum."""

    params: M
    log_likelihood: float
    standard_errors: M | None
    n_customers: int
    has_dropout: bool
    note: str


def fit(x: Vector, t_x: Vector, T: Vector, family: Family[M], weights: Vector | None = None) -> OrdersFit[M]:
    """The most likely model of the family for customers with x repeat orders, the last at age t_x, observed to age T.

    Any time unit; the timed parameters come back in it. `weights` counts customers who share a row. Raises
    NotEnoughData where there is nothing to learn from, FitFailed where no maximum was reached.

    >>> from tiercast.training.btyd import families
    >>> x, t_x, T = np.array([0.0, 1, 2, 5, 0, 3]), np.array([0.0, 9, 30, 12, 0, 55]), np.full(6, 60.0)
    >>> fit(x, t_x, T, families.BGNBD, weights=np.full(6, 100.0)).has_dropout
    True
    """
    x, t_x, T, weights = checks.histories(x, t_x, T, weights)
    histories = summaries.summarise(x, t_x, T, weights, one_timers_leave=family.one_timers_leave)
    without = _fit_without(family, histories)
    best = _climb(family, histories, without)
    if best.value - without.value < DETECTABLE:
        return _without_leaving(family, histories, without)
    if best.is_interior:
        return _as_fit(family, histories, best, INTERIOR)
    settled = _as_fit(family, histories, _with_prior(family, histories, best), PRIOR)
    plain = _without_leaving(family, histories, without)
    return settled if settled.log_likelihood > plain.log_likelihood else plain


def _fit_without(family: Family[M], histories: Histories) -> Optimum:
    objective = partial(summaries.without_leaving, histories)
    return optimise.best_of(objective, (start[:2] for start in _starts(family, histories)))


def _climb(family: Family[M], histories: Histories, without: Optimum) -> Optimum:
    """Through samples to everything; if that drifts away, once more from the model without dropout."""
    samples = (summaries.thin(histories, keep) for keep in family.stages if keep < len(histories.x))
    objectives = [partial(family.objective, sample) for sample in (*samples, histories)]
    best = optimise.climb_by_stages(objectives, _starts(family, histories))
    if best.is_interior:
        return best
    limit = optimise.NOT_TOO_FAR
    nearby = np.clip(np.append(without.point, np.log(family.nearly_none)), -limit, limit)
    return max(best, optimise.maximise(objectives[-1], nearby), key=lambda end: end.value)


def _starts(family: Family[M], histories: Histories) -> list[Vector]:
    """Different beliefs about variety and leaving, each with the observed order rate."""
    rate = float(histories.age_orders.sum() / (histories.ages @ histories.age_weight))
    return [np.log([r, r / rate, third, fourth]) for r, third, fourth in family.beliefs]


def _with_prior(family: Family[M], histories: Histories, drift: Optimum) -> Optimum:
    starts = _starts(family, histories)
    objective = optimise.with_prior(partial(family.objective, histories), starts[0], PRIOR_SPREAD)
    return _arrived(family, optimise.best_of(objective, [np.clip(drift.point, -6.0, 6.0), *starts]), histories)


def _arrived(family: Family[M], end: Optimum, histories: Histories) -> Optimum:
    if end.is_interior:
        return end
    raise errors.FitFailed(
        f"the {family.title} likelihood reached no maximum, not even with a prior",
        count=_n_customers(histories),
        unit="customers",
        first=f"log-parameters at the last step: {np.round(end.point, 2).tolist()}",
        hint="use a longer history, so that more customers have repeat orders.",
    )


def _as_fit(family: Family[M], histories: Histories, end: Optimum, note: str) -> OrdersFit[M]:
    value, _ = family.objective(histories, end.point)
    params = _in_days(family, histories, end.point)
    sure = optimise.standard_errors(end.hessian, np.array(params)) if note == INTERIOR else None
    spread = None if sure is None else family.params(*map(float, sure))
    total = summaries.in_days(histories, value)
    return OrdersFit(params, total, spread, _n_customers(histories), True, note)


def _without_leaving(family: Family[M], histories: Histories, end: Optimum) -> OrdersFit[M]:
    note, objective = NO_DROPOUT, partial(summaries.without_leaving, histories)
    if not end.is_interior:
        note = f"{NO_DROPOUT} {PRIOR}"
        starts = [start[:2] for start in _starts(family, histories)]
        held = optimise.best_of(optimise.with_prior(objective, starts[0], PRIOR_SPREAD), starts)
        end = _arrived(family, held, histories)
    value, _ = objective(end.point)
    r, alpha = map(float, np.exp(end.point))
    params = family.params(r, alpha * histories.time_scale, *family.no_leaving)
    total = summaries.in_days(histories, value)
    return OrdersFit(params, total, None, _n_customers(histories), False, note)


def _in_days(family: Family[M], histories: Histories, log_params: Vector) -> M:
    units = [histories.time_scale if place in family.timed else 1.0 for place in range(len(log_params))]
    return family.params(*map(float, np.exp(log_params) * units))


def _n_customers(histories: Histories) -> int:
    return round(float(histories.age_weight.sum()))
