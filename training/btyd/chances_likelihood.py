"""The log-likelihood and its gradient where customers leave at an order: BG/NBD and MBG/NBD.

Eq. 6 of Fader, Hardie & Lee (2005) in logs, written with c chances to leave instead of x (see models.chances): c is x,
or x + 1 where customers may be gone right after the first order.
"""

from __future__ import annotations

import numpy as np
from scipy.special import psi

from tiercast.contract.vectors import Vector
from tiercast.models import chances
from tiercast.training.btyd import histories as summaries
from tiercast.training.btyd.histories import Histories


def bg_nbd(histories: Histories, log_params: Vector) -> tuple[float, Vector]:
    """Log-likelihood and its gradient in (log r, log alpha, log a, log b)."""
    return _with_first(0.0, histories, log_params)


def mbg_nbd(histories: Histories, log_params: Vector) -> tuple[float, Vector]:
    """The same with a chance to leave after the first order; the histories must hold one-time buyers."""
    return _with_first(1.0, histories, log_params)


def _with_first(first: float, histories: Histories, log_params: Vector) -> tuple[float, Vector]:
    r, alpha, a, b = np.exp(log_params)
    c, n = first + histories.counts, histories.count_weight
    value, gradient = summaries.without_leaving(histories, log_params[:2])
    gone, gone_gradient = _dropout(first, histories, (r, alpha, a, b))
    total = psi(a + b + c) - psi(a + b)
    value += float(n @ (chances.log_rising(b, c) - chances.log_rising(a + b, c))) + gone
    by_choice = np.array([-(n @ total) * a, n @ (psi(b + c) - psi(b) - total) * b])
    return value, np.concatenate([gradient, by_choice]) + gone_gradient


def _dropout(first: float, histories: Histories, params: chances.Params) -> tuple[float, Vector]:
    """The sum of log(1 + odds of having left), and its gradient in the log-parameters."""
    value, gradient = 0.0, np.zeros(4)
    for x, rows in histories.blocks:
        times = histories.t_x[rows], histories.T[rows], histories.weight[rows]
        part, part_gradient = _dropout_of(x, first + x, *times, params)
        value, gradient = value + part, gradient + part_gradient
    return value, gradient


def _dropout_of(
    x: float | Vector, c: float | Vector, t_x: Vector, T: Vector, weight: Vector, params: chances.Params
) -> tuple[float, Vector]:
    """One block of it; with z the log-odds, log(1 + e^z) = max(z, 0) + log(1 + e^-|z|) never overflows."""
    r, alpha, a, b = params
    older, old, choices = T + alpha, t_x + alpha, c + (b - 1.0)
    log_silence = np.log(older / old)
    log_odds = log_silence * (r + x) + np.log(a / choices)
    small = np.exp(-np.abs(log_odds))
    one_more = small + 1.0
    value = weight @ np.maximum(log_odds, 0.0) + weight @ np.log(one_more)
    gone = weight * np.where(log_odds > 0, 1.0, small) / one_more
    by_log_alpha = -alpha * ((gone * (r + x)) @ ((T - t_x) / (older * old)))
    return float(value), np.array([r * (gone @ log_silence), by_log_alpha, gone.sum(), -b * (gone / choices).sum()])
