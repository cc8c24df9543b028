"""BG/NBD: how often a customer buys, and whether they still do.

Fader, Hardie & Lee (2005), "Counting your customers the easy way", Marketing Science 24(2). Equation
numbers below are theirs.

While alive, a customer orders at random with a rate of their own (gamma over the population: r, alpha);
after every repeat order they leave for good with a probability of their own (beta: a, b).

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
    return chances.log_likelihood(params, x, x, t_x, T)


def p_alive(params: BgNbd, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """P(alive at T | x, t_x, T), in [0, 1].

    Exactly 1 when x == 0: the model lets a customer leave only after a repeat
    order, so it cannot say that a one-time buyer is gone. Tiers must not read
    this number alone for them.

    >>> cdnow = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)      # the paper's fit, weeks
    >>> p_alive(cdnow, np.array([2.0, 0.0]), np.array([30.43, 0.0]), np.array([38.86, 38.86])).round(4)
    array([0.7266, 1.    ])
    """
    return chances.p_alive(params, x, x, t_x, T)


def p_no_order(params: BgNbd, x: Vector, t_x: Vector, T: Vector, horizon: float, alive: Vector | None = None) -> Vector:
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
    return chances.p_no_order(params, x, x, t_x, T, horizon, alive)


def expected_orders(
    params: BgNbd, x: Vector, t_x: Vector, T: Vector, horizon: float, alive: Vector | None = None
) -> Vector:
    """E[orders in the next `horizon` | x, t_x, T], at least 0: eq. 10.

    >>> cdnow = BgNbd(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
    >>> expected_orders(cdnow, np.array([2.0]), np.array([30.43]), np.array([38.86]), 39.0).round(3)
    array([1.226])
    """
    return chances.expected_orders(params, 0.0, x, t_x, T, horizon, alive)


def expected_orders_of_new(params: BgNbd, t: Vector) -> Vector:
    """E[X(t)]: repeat orders of a customer picked at random, `t` after their first order: eq. 9.

    >>> cdnow = BgNbd(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
    >>> expected_orders_of_new(cdnow, np.array([0.1429, 1.0, 32.0])).round(4)
    array([0.0078, 0.0532, 1.0437])
    """
    nothing_known = np.zeros_like(t, dtype=np.float64)
    return chances.expected_if_alive(params, 0.0, nothing_known, nothing_known, t)
