"""Pareto/NBD: customers who leave at any time, not only after an order.

Schmittlein, Morrison & Colombo (1987), "Counting your customers: who are they and what will they do next?",
Management Science 33(1); the derivation followed is Fader & Hardie (2005), "A note on deriving the Pareto/NBD model
and related expressions", on brucehardie.com.

While alive, a customer orders at random with a rate of their own (gamma over the population: r, alpha); they leave for
good after an exponential lifetime, with a rate of their own (gamma: s, beta). Ordering does not make leaving likelier,
so a one-time buyer can be gone, and looks more so the longer they stay silent.

    x    repeat orders in (0, T]      count; 0 means one order ever
    t_x  age at the last order        same time unit as T, 0 when x == 0
    T    age at the as-of date        t_x <= T

`s == 0` is the model without leaving (NBD): no customer drops out, and p_alive is 1.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import expit, exprel

from tiercast.contract.vectors import Vector
from tiercast.models import chances, exit_integral, pairs
from tiercast.models.exit_integral import ExitRates


class ParetoNbd(NamedTuple):
    """The four population parameters. `alpha` and `beta` have the unit of T."""

    r: float
    alpha: float
    s: float
    beta: float


def log_likelihood(params: ParetoNbd, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """How well the model explains each customer's history: the log of its density, one number per customer.

    >>> cdnow = ParetoNbd(r=0.55315, alpha=10.57633, s=0.60625, beta=11.67150)      # the published fit, weeks
    >>> log_likelihood(cdnow, np.array([2.0, 0.0]), np.array([30.4286, 0.0]), np.array([38.8571, 38.8571])).round(3)
    array([-9.554, -0.521])
    """
    r, alpha, s, beta = params
    stayed = chances.log_rising(r, x) - r * np.log1p(T / alpha) - x * np.log(alpha + T) - s * np.log1p(T / beta)
    return np.asarray(stayed + np.logaddexp(0.0, _log_odds_gone(params, x, t_x, T)), dtype=np.float64)


def p_alive(params: ParetoNbd, x: Vector, t_x: Vector, T: Vector) -> Vector:
    """P(alive at T | x, t_x, T), in [0, 1]; below 1 for one-time buyers too.

    >>> cdnow = ParetoNbd(r=0.55315, alpha=10.57633, s=0.60625, beta=11.67150)
    >>> p_alive(cdnow, np.array([2.0, 0.0]), np.array([30.43, 0.0]), np.array([38.86, 38.86])).round(2)
    array([0.87, 0.3 ])
    """
    return np.asarray(expit(-_log_odds_gone(params, x, t_x, T)), dtype=np.float64)


def p_no_order(
    params: ParetoNbd, x: Vector, t_x: Vector, T: Vector, horizon: float, alive: Vector | None = None
) -> Vector:
    """P(no order in the next `horizon` | x, t_x, T), in [0, 1]: the model's own churn probability.

    An alive customer is silent for `horizon` if they stay and do not order, or leave before they do: the odds of the
    two are the same integral as behind p_alive, from T on.

    >>> cdnow = ParetoNbd(r=0.55315, alpha=10.57633, s=0.60625, beta=11.67150)
    >>> p_no_order(cdnow, np.array([2.0, 0.0]), np.array([30.43, 0.0]), np.array([38.86, 38.86]), 39.0).round(2)
    array([0.41, 0.93])
    """
    orders = pairs.tabulate(partial(_some_order_if_alive, params, horizon), x, T)
    if alive is None:
        alive = p_alive(params, x, t_x, T)
    return np.asarray(1.0 - alive * orders, dtype=np.float64)


def expected_orders(
    params: ParetoNbd, x: Vector, t_x: Vector, T: Vector, horizon: float, alive: Vector | None = None
) -> Vector:
    """E[orders in the next `horizon` | x, t_x, T], at least 0.

    >>> cdnow = ParetoNbd(r=0.55315, alpha=10.57633, s=0.60625, beta=11.67150)
    >>> expected_orders(cdnow, np.array([2.0]), np.array([30.43]), np.array([38.86]), 39.0).round(2)
    array([1.46])
    """
    if alive is None:
        alive = p_alive(params, x, t_x, T)
    return alive * _expected_if_alive(params, x, T, np.float64(horizon))


def expected_orders_of_new(params: ParetoNbd, t: Vector) -> Vector:
    """E[X(t)]: repeat orders of a customer picked at random, `t` after their first order.

    >>> expected_orders_of_new(ParetoNbd(r=0.5, alpha=50.0, s=1.0, beta=1.0), np.array([np.e - 1])).round(6)  # by hand
    array([0.01])
    """
    nothing_known = np.zeros_like(t, dtype=np.float64)
    return _expected_if_alive(params, nothing_known, nothing_known, t)


def _expected_if_alive(params: ParetoNbd, x: Vector, T: Vector, horizon: Vector | np.float64) -> Vector:
    """The mean rate times the mean time still alive within `horizon`.

    That time is (beta + T) (1 - exp(-(s - 1) l)) / (s - 1) with l = log(1 + horizon / (beta + T)); exprel(z), which is
    (exp(z) - 1) / z, keeps it exact at s = 1 and near it.
    """
    r, alpha, s, beta = params
    log_growth = np.log1p(horizon / (beta + T))
    time = np.minimum((beta + T) * log_growth * exprel((1.0 - s) * log_growth), horizon)
    return np.asarray((r + x) / (alpha + T) * time, dtype=np.float64)


def _some_order_if_alive(params: ParetoNbd, horizon: float, x: Vector, T: Vector) -> Vector:
    """P(at least one order in the next `horizon`) of a customer known to be alive at T."""
    r, alpha, s, beta = params
    stays_silent = -(r + x) * np.log1p(horizon / (alpha + T)) - s * np.log1p(horizon / (beta + T))
    leaves_first = exit_integral.log_odds(ExitRates(r + x, alpha, s, beta), T, T + horizon)
    return np.clip(-np.expm1(stays_silent + np.logaddexp(0.0, leaves_first)), 0.0, 1.0)


def _log_odds_gone(params: ParetoNbd, x: Vector, t_x: Vector, T: Vector) -> Vector:
    r, alpha, s, beta = params
    return exit_integral.log_odds(ExitRates(r + x, alpha, s, beta), t_x, T)
