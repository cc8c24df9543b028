"""The Pareto/NBD log-likelihood and its gradient on sufficient statistics.

Fader & Hardie (2005), "A note on deriving the Pareto/NBD model and related expressions": the model without leaving,
times the chance to stay until T, times one plus the odds of having left in silence. Those odds are a sum over nodes
(models.exit_integral), so their derivatives are sums over the same nodes, weighted by each node's share.
"""

from __future__ import annotations

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.models import exit_integral
from tiercast.models.exit_integral import ROWS_AT_ONCE, ExitRates
from tiercast.training.btyd import histories as summaries
from tiercast.training.btyd.histories import Histories


def pareto_nbd(histories: Histories, log_params: Vector) -> tuple[float, Vector]:
    """Log-likelihood and its gradient in (log r, log alpha, log s, log beta); the histories hold one-time buyers."""
    r, alpha, s, beta = np.exp(log_params)
    value, gradient = summaries.without_leaving(histories, log_params[:2])
    ages, n = histories.ages, histories.age_weight
    staying = -s * float(n @ np.log1p(ages / beta))
    total, whole = value + staying, np.concatenate([gradient, [staying, s * (n @ (ages / (beta + ages)))]])
    for start in range(0, len(histories.x), ROWS_AT_ONCE):
        part, part_gradient = _left(histories, slice(start, start + ROWS_AT_ONCE), (r, alpha, s, beta))
        total, whole = total + part, whole + part_gradient
    return float(total), whole


def _left(histories: Histories, rows: slice, params: tuple[float, float, float, float]) -> tuple[float, Vector]:
    """The sum of log(1 + odds of having left) over some histories, and its gradient in the log-parameters."""
    r, alpha, s, beta = params
    R, T, weight = r + histories.x[rows], histories.T[rows], histories.weight[rows]
    parts = exit_integral.terms(ExitRates(R, alpha, s, beta), histories.t_x[rows], T)
    log_odds, share = exit_integral.total(parts)
    gone = weight * np.exp(log_odds - np.logaddexp(0.0, log_odds))
    share *= gone[:, None]
    by_alpha = (R * gone) @ (1.0 / (alpha + T)) - R @ (share / (alpha + parts.y)).sum(axis=1)
    by_s = gone.sum() / s + np.vdot(share, parts.stay)
    by_beta = s * (gone @ (1.0 / (beta + T))) - (s + 1.0) * np.sum(share / (beta + parts.y))
    slopes = np.array([r * np.vdot(share, parts.silence), alpha * by_alpha, s * by_s, beta * by_beta])
    return float(weight @ np.logaddexp(0.0, log_odds)), slopes
