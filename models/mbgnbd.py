"""MBG/NBD: BG/NBD in which a customer may be gone right after the first order.

Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for customer base analysis",
International Journal of Research in Marketing 24(3); Wagner & Hoppe (2008), "Erratum on the MBG/NBD model", the same
journal 25(3).

While alive, a customer orders at random with a rate of their own (gamma over the population: r, alpha); after every
order, *the first one too*, they leave for good with a probability of their own (beta: a, b). So a one-time buyer can
be gone, and looks more so the longer they stay silent.

    x    repeat orders in (0, T]      count; 0 means one order ever
    t_x  age at the last order        same time unit as T, 0 when x == 0
    T    age at the as-of date        t_x <= T

`a == 0` is the model without leaving (NBD): no customer drops out, and p_alive is 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.models import chances


class MbgNbd(NamedTuple):
    """The four population parameters. Only `alpha` has a unit: that of T."""

    r: float
    alpha: float
    a: float
    b: float


def log_likelihood(params: MbgNbd, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """How well the model explains each customer's history: the log of its probability, one number per customer.

    At T = 0 nothing has been observed, whatever the customer does next; their probability is 1.

    >>> cdnow = MbgNbd(r=0.525, alpha=6.183, a=0.891, b=1.614)
    >>> bool(abs(log_likelihood(cdnow, np.array([0.0]), np.array([0.0]), np.array([0.0]))[0]) < 1e-12)
    True
    """
    return chances.log_likelihood(params, x + 1.0, x, t_x, T)


def p_alive(params: MbgNbd, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """P(alive at T | x, t_x, T), in [0, 1]; below 1 for one-time buyers too.

    >>> cdnow = MbgNbd(r=0.525, alpha=6.183, a=0.891, b=1.614)      # the published fit, weeks
    >>> p_alive(cdnow, np.array([2.0, 0.0]), np.array([30.43, 0.0]), np.array([38.86, 38.86])).round(2)
    array([0.71, 0.39])
    """
    return chances.p_alive(params, x + 1.0, x, t_x, T)


def p_no_order(
    params: MbgNbd, x: Vector, t_x: Vector, T: Vector, horizon: float, alive: Vector | None = None
) -> Vector:
    """P(no order in the next `horizon` | x, t_x, T), in [0, 1]: the model's own churn probability.

    >>> cdnow = MbgNbd(r=0.525, alpha=6.183, a=0.891, b=1.614)
    >>> p_no_order(cdnow, np.array([2.0, 0.0]), np.array([30.43, 0.0]), np.array([38.86, 38.86]), 39.0).round(2)
    array([0.44, 0.89])
    """
    return chances.p_no_order(params, x + 1.0, x, t_x, T, horizon, alive)


def expected_orders(
    params: MbgNbd, x: Vector, t_x: Vector, T: Vector, horizon: float, alive: Vector | None = None
) -> Vector:
    """E[orders in the next `horizon` | x, t_x, T], at least 0.

    >>> cdnow = MbgNbd(r=0.525, alpha=6.183, a=0.891, b=1.614)
    >>> expected_orders(cdnow, np.array([2.0]), np.array([30.43]), np.array([38.86]), 39.0).round(2)
    array([1.26])
    """
    return chances.expected_orders(params, 1.0, x, t_x, T, horizon, alive)


def expected_orders_of_new(params: MbgNbd, t: Vector) -> Vector:
    """E[X(t)]: repeat orders of a customer picked at random, `t` after their first order.

    They stay after the first order with probability b / (a + b), and are then known to be alive.

    >>> expected_orders_of_new(MbgNbd(r=0.5, alpha=50.0, a=0.0, b=1.0), np.array([100.0]))       # r t / alpha, by hand
    array([1.])
    """
    nothing_known = np.zeros_like(t, dtype=np.float64)
    stays = params.b / (params.a + params.b)
    return stays * chances.expected_if_alive(params, 1.0, nothing_known, nothing_known, t)
