"""BG/NBD: how often a customer buys, and whether they still do.

Fader, Hardie & Lee (2005), "Counting your customers the easy way", Marketing Science 24(2). Equation
numbers below are theirs.

While alive, a customer orders at random with a rate of their own (gamma over the population: r, alpha);
after every repeat order they leave for good with a probability of their own (beta: a, b).

    x    repeat orders in (0, T]      count; 0 means one order ever
    t_x  age at the last order        same time unit as T, 0 when x == 0
    T    age at the as-of date        t_x <= T

`a == 0` is the model without leaving (NBD): nobody drops out, p_alive is 1 for everyone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import betaln, expit, gammaln

from models import beta_expectation
from models.vectors import Vector

WORTH_A_TABLE, LARGEST_TABLE = 10_000, 5_000_000


class BgNbd(NamedTuple):
    """The four population parameters. Only `alpha` has a unit: that of T."""

    r: float
    alpha: float
    a: float
    b: float


def log_likelihood(params: BgNbd, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """How well the model explains each customer's history: log of eq. 6, one number per customer.

    >>> cdnow = BgNbd(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
    >>> log_likelihood(cdnow, np.array([2.0, 0.0]), np.array([30.4286, 0.0]), np.array([38.8571, 38.8571])).round(4)
    array([-9.4596, -0.5538])
    """
    r, alpha, a, b = params
    # eq. 6 divided by its first bracket, so that powers are taken of ratios near 1 and never of days
    silent = -r * np.log1p(T / alpha) - x * np.log(alpha + T)
    choices = log_rising(r, x) + log_rising(b, x) - log_rising(a + b, x)
    return np.asarray(choices + silent + np.logaddexp(0.0, _log_odds_gone(params, x, t_x, T)), dtype=np.float64)


def p_alive(params: BgNbd, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """P(alive at T | x, t_x, T), in [0, 1].

    Exactly 1 when x == 0: the model lets a customer leave only after a repeat
    order, so it cannot say that a one-time buyer is gone. Tiers must not read
    this number alone for them.

    >>> cdnow = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)      # the paper's fit, weeks
    >>> p_alive(cdnow, np.array([2.0, 0.0]), np.array([30.43, 0.0]), np.array([38.86, 38.86])).round(4)
    array([0.7266, 1.    ])
    """
    return np.asarray(expit(-_log_odds_gone(params, x, t_x, T)), dtype=np.float64)


def p_no_order(params: BgNbd, x: Vector, t_x: Vector, T: Vector, horizon: float) -> Vector:
    """P(no order in the next `horizon` | x, t_x, T), in [0, 1]: the model's own churn probability.

    Given the history and being alive, the rate is gamma with shape r + x and rate alpha + T, and the
    next order is a Poisson event before any leaving can happen. So an alive customer stays silent with
    E[exp(-rate * h)] = ((alpha + T) / (alpha + T + h)) ** (r + x), a gone one with certainty:

        P = (1 - p_alive) + p_alive * ((alpha + T) / (alpha + T + h)) ** (r + x)

    A one-time buyer's number therefore moves with T and the horizon, although their p_alive is 1.

    >>> cdnow = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
    >>> p_no_order(cdnow, np.array([2.0, 0.0]), np.array([30.43, 0.0]), np.array([38.86, 38.86]), 39.0).round(4)
    array([0.4454, 0.8554])
    """
    stays_silent = np.expm1(-(params.r + x) * np.log1p(horizon / (params.alpha + T)))
    return np.asarray(1.0 + p_alive(params, x, t_x, T) * stays_silent, dtype=np.float64)


def expected_orders(params: BgNbd, x: Vector, t_x: Vector, T: Vector, horizon: float) -> Vector:
    """E[orders in the next `horizon` | x, t_x, T], at least 0: eq. 10.

    >>> cdnow = BgNbd(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
    >>> expected_orders(cdnow, np.array([2.0]), np.array([30.43]), np.array([38.86]), 39.0).round(3)
    array([1.226])
    """
    if_alive = partial(_expected_if_alive, params, horizon=np.float64(horizon))
    return p_alive(params, x, t_x, T) * _once_per_pair(if_alive, x, T)


def expected_orders_of_new(params: BgNbd, t: Vector) -> Vector:
    """E[X(t)]: repeat orders of a customer picked at random, `t` after their first order: eq. 9.

    >>> cdnow = BgNbd(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
    >>> expected_orders_of_new(cdnow, np.array([0.1429, 1.0, 32.0])).round(4)
    array([0.0078, 0.0532, 1.0437])
    """
    nothing_known = np.zeros_like(t, dtype=np.float64)
    return _expected_if_alive(params, nothing_known, nothing_known, t)


def log_rising(start: float, x: Vector) -> Vector:
    """log of start * (start + 1) * ... * (start + x - 1); 0 when x == 0.

    Written with the beta function, whose asymptotic series keeps the digits that the difference of two
    log-gammas loses when `start` is large.
    """
    counted = np.maximum(x, 1.0)
    return np.where(x > 0, gammaln(counted) - betaln(start, counted), 0.0)


def _log_odds_gone(params: BgNbd, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """log of P(gone) / P(alive): the ratio of eq. 6's two terms, -inf where nobody can have left."""
    r, alpha, a, b = params
    if a == 0:
        return np.full(np.shape(x), -np.inf)
    left_after_last = math.log(a) - np.log(b + np.maximum(x, 1.0) - 1.0)
    return np.where(x > 0, left_after_last + (r + x) * np.log1p((T - t_x) / (alpha + t_x)), -np.inf)


def _expected_if_alive(params: BgNbd, x: Vector, T: Vector, horizon: Vector | np.float64) -> Vector:
    """E[orders in the next `horizon`] of a customer known to be alive at T."""
    r, alpha, a, b = params
    scaled_horizon = np.asarray(horizon / (alpha + T), dtype=np.float64)
    if a == 0:
        return (r + x) * scaled_horizon
    return beta_expectation.orders_until_leaving(a, b + x, r + x, scaled_horizon)


def _once_per_pair(answer: Callable[[Vector, Vector], Vector], x: Vector, T: Vector) -> Vector:
    """`answer(x, T)`, worked out once for each different pair where many customers share few of them.

    Days and counts are whole numbers: a million customers have some ten thousand pairs, and a table
    indexed by the pair is far cheaper than the hypergeometric function.
    """
    if len(x) < WORTH_A_TABLE or not _are_whole(x, T):
        return answer(x, T)
    n_ages = int(T.max()) + 1
    pair = x.astype(np.int64) * n_ages + T.astype(np.int64)
    table = np.zeros((int(x.max()) + 1) * n_ages)
    table[pair] = 1.0
    different = np.flatnonzero(table)
    table[different] = answer((different // n_ages).astype(np.float64), (different % n_ages).astype(np.float64))
    return table[pair]


def _are_whole(x: Vector, T: Vector) -> bool:
    if (x.max() + 1.0) * (T.max() + 1.0) > LARGEST_TABLE or min(x.min(), T.min()) < 0:
        return False
    return bool(np.array_equal(x, np.floor(x)) and np.array_equal(T, np.floor(T)))
