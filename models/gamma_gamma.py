"""Gamma-Gamma: what a customer's order is worth, on average.

Fader & Hardie (2013), "The Gamma-Gamma model of monetary value", note 25 on brucehardie.com; equation
numbers are theirs. `v` is their gamma.

Orders of one customer vary around the customer's own mean (gamma, shape p), and that mean varies over the
population (its inverse is gamma: q, v). How much money a customer spends per order is taken to be
unrelated to how often they order.

    x  repeat orders                         count; 0 when there is no mean to learn from
    m  mean money of those repeat orders     money per order; NaN when there are none
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaincinv

from tiercast.contract.vectors import Vector


class GammaGamma(NamedTuple):
    """The three population parameters. Only `v` has a unit: money per order."""

    p: float
    q: float
    v: float


def log_likelihood(params: GammaGamma, x: Vector, m: Vector) -> Vector:
    """How well the model explains each customer's mean order value: log of eq. 1a; 0 when x == 0.

    >>> cdnow = GammaGamma(p=6.25, q=3.74, v=15.44)
    >>> log_likelihood(cdnow, np.array([2.0, 0.0]), np.array([22.345, np.nan])).round(4)
    array([-3.5512,  0.    ])
    """
    p, q, v = params
    learned = _has_mean(x, m)
    shape, total = p * np.where(learned, x, 1.0), np.where(learned, x * m, 1.0)
    mean = np.where(learned, m, 1.0)
    # eq. 1a with powers taken of shares of (x m + v), which neither overflow nor cancel
    density = -betaln(shape, q) - q * np.log1p(total / v) - shape * np.log1p(v / total) - np.log(mean)
    return np.where(learned, density, 0.0)


def expected_order_value(params: GammaGamma, x: Vector, m: Vector) -> Vector:
    """E[money per order | x, m]: eq. 5, between the customer's own mean and the population's.

    Without a mean (x == 0, or m is NaN or not positive) it is the population's, p v / (q - 1).

    A mean exists only where p x + q > 1. Elsewhere, which needs q <= 1 and cannot come from our fit, the
    answer is the median customer's mean instead: finite and never negative, where the textbook formula
    turns negative.

    >>> cdnow = GammaGamma(p=6.25, q=3.74, v=15.44)
    >>> expected_order_value(cdnow, np.array([2.0, 0.0]), np.array([22.345, np.nan])).round(2)
    array([24.66, 35.22])
    """
    p, q, v = params
    learned = _has_mean(x, m)
    shape = q + np.where(learned, p * x, 0.0)
    scale = p * (v + np.where(learned, x * m, 0.0))
    is_mean = shape > 1.0
    answer = np.asarray(scale / np.where(is_mean, shape - 1.0, 1.0))
    if not is_mean.all():  # the median takes longer than everything else, and our fits never need it
        answer = np.where(is_mean, answer, _median(shape, scale))
    return answer


def _has_mean(x: Vector, m: Vector) -> NDArray[np.bool_]:
    return (x > 0) & (m > 0)


def _median(shape: Vector, scale: Vector) -> Vector:
    """The median of scale / g for g ~ gamma(shape): half of the customers have a smaller mean."""
    return scale / np.maximum(gammaincinv(np.minimum(shape, 1.0), 0.5), 1e-12)
