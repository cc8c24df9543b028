"""A customer's own mean order value, shrunk to that of all: what stands in where spending is too even for Gamma-Gamma.

Customers who all spend alike leave Gamma-Gamma's shapes without a maximum. Their expected order value is no riddle:

    E[money per order | n, m] = (n m + K mu) / (n + K)        mu: mean order value of all customers' orders

(Bühlmann 1967, doi 10.1017/S0515036100008989). K is the variance of a customer's orders over the variance between
customers, from E[(m - mu)^2 | n] = between + within / n. Gamma-Gamma's own answer has this form, with K = (q - 1) / p
and mu = p v / (q - 1): so the mean is written as one, with p = 1, and everything that scores stays as it is.
"""

from __future__ import annotations

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.models.gamma_gamma import GammaGamma

LEAST, MOST = 0.1, 100.0
"""Bounds of K, in orders: an estimate from nearly equal means is mostly rounding."""


def fit(n: Vector, m: Vector, weights: Vector | None = None) -> GammaGamma:
    """The shrunken mean of customers with n orders of mean value m > 0; `weights` counts customers who share a row.

    >>> from tiercast.models import gamma_gamma
    >>> flat = fit(np.array([1.0, 4.0]), np.array([10.0, 10.0]))
    >>> gamma_gamma.expected_order_value(flat, np.array([0.0, 3.0]), np.array([np.nan, 10.0])).tolist()
    [10.0, 10.0]
    """
    customers = np.ones(len(n)) if weights is None else weights
    mean = float(np.average(m, weights=customers * n))
    k = _pull(n, (m - mean) ** 2, customers)
    return GammaGamma(p=1.0, q=1.0 + k, v=mean * k)


def _pull(n: Vector, squares: Vector, customers: Vector) -> float:
    """K, from a line through the squares over 1 / n, by least squares."""
    given = np.column_stack([np.ones(len(n)), 1 / n]) * np.sqrt(customers)[:, None]
    (between, within), *_ = np.linalg.lstsq(given, squares * np.sqrt(customers), rcond=None)
    if between <= 0:
        return MOST
    return float(np.clip(within / between, LEAST, MOST))
