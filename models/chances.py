"""The equations that BG/NBD and MBG/NBD share: a customer may leave at each of a number of chances.

While alive, a customer orders at an individual rate (gamma: r, alpha). At each chance to leave they drop out with an
individual probability (beta: a, b). The two models differ only in the chances:

    BG/NBD    every repeat order               c = x chances by the last order
    MBG/NBD   every order, the first as well   c = x + 1

Written with c, the equations of both are the same; for c = x they are those of the BG/NBD paper (bgnbd.py).
Times in one unit; `params` is (r, alpha, a, b), and a == 0 means that nobody leaves. `alive` is the result of `p_alive`
for the same customers, where it is already known.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from scipy.special import betaln, expit, gammaln

from tiercast.contract.vectors import Vector
from tiercast.models import beta_expectation, pairs

Params = tuple[float, float, float, float]


def log_likelihood(params: Params, c: Vector, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """log of P(the history), one number per customer: still here after c chances, or gone at the last of them."""
    r, alpha, a, b = params
    # divided by the first of the two terms, so that powers are taken of ratios near 1 and never of days
    silent = -r * np.log1p(T / alpha) - x * np.log(alpha + T)
    choices = log_rising(r, x) + log_rising(b, c) - log_rising(a + b, c)
    return np.asarray(choices + silent + np.logaddexp(0.0, _log_odds_gone(params, c, x, t_x, T)), dtype=np.float64)


def p_alive(params: Params, c: Vector, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """P(alive at T | the history), in [0, 1]; 1 where there has been no chance to leave."""
    return np.asarray(expit(-_log_odds_gone(params, c, x, t_x, T)), dtype=np.float64)


def p_no_order(
    params: Params, c: Vector, x: Vector, t_x: Vector, T: Vector, horizon: float, alive: Vector | None = None
) -> Vector:
    """P(no order in the next `horizon` | the history), in [0, 1].

    An alive customer can leave only at an order, so the next one is a Poisson event with a gamma(r + x, alpha + T)
    rate: they stay silent with E[exp(-rate * h)] = ((alpha + T) / (alpha + T + h)) ** (r + x), a gone one for certain.
    """
    r, alpha, _, _ = params
    stays_silent = np.expm1(-(r + x) * np.log1p(horizon / (alpha + T)))
    if alive is None:
        alive = p_alive(params, c, x, t_x, T)
    return np.asarray(1.0 + alive * stays_silent, dtype=np.float64)


def expected_if_alive(params: Params, first: float, x: Vector, T: Vector, horizon: Vector | np.float64) -> Vector:
    """E[orders in the next `horizon`] of a customer known to be alive at T, with c = first + x chances behind them."""
    r, alpha, a, b = params
    scaled_horizon = np.asarray(horizon / (alpha + T), dtype=np.float64)
    if a == 0:
        return (r + x) * scaled_horizon
    return beta_expectation.orders_until_leaving(a, b + first + x, r + x, scaled_horizon)


def expected_orders(
    params: Params, first: float, x: Vector, t_x: Vector, T: Vector, horizon: float, alive: Vector | None = None
) -> Vector:
    """E[orders in the next `horizon` | the history], at least 0; customers with equal x and T share the hard part."""
    if_alive = partial(expected_if_alive, params, first, horizon=np.float64(horizon))
    if alive is None:
        alive = p_alive(params, first + x, x, t_x, T)
    return alive * pairs.tabulate(if_alive, x, T)


def log_rising(start: float, x: Vector) -> Vector:
    """log of start * (start + 1) * ... * (start + x - 1); 0 when x == 0.

    Written with the beta function, whose asymptotic series keeps the digits that the difference of two
    log-gammas loses when `start` is large.
    """
    counted = np.maximum(x, 1.0)
    return np.where(x > 0, gammaln(counted) - betaln(start, counted), 0.0)


def _log_odds_gone(params: Params, c: Vector, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """log of P(gone) / P(alive): the ratio of the likelihood's two terms, -inf where no customer can have left."""
    r, alpha, a, b = params
    if a == 0:
        return np.full(np.shape(x), -np.inf)
    left_at_last = math.log(a) - np.log(b + np.maximum(c, 1.0) - 1.0)
    return np.where(c > 0, left_at_last + (r + x) * np.log1p((T - t_x) / (alpha + t_x)), -np.inf)
