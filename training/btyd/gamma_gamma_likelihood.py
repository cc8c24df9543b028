"""The Gamma-Gamma log-likelihood and its gradient on sufficient statistics.

With money in units of `money_scale`, s = x m and l = log(1 + s / v), eq. 1a of Fader & Hardie (2013) is

    -log Beta(p x, q)  +  p x log(s / v)  -  (p x + q) l  -  log m

The first term needs only how many customers have x orders; the second and the last only two totals.
What is left, the sum of l and of x l, takes one logarithm for each different (x, s).

The parameters are log p, log(q - 1) and log v: q > 1 is where the population has a mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import betaln, psi

from tiercast.contract.vectors import Vector
from tiercast.training.btyd import grouping

ROWS_AT_ONCE = 4096  # as in histories


class Spending(NamedTuple):
    """Sufficient statistics. Money is divided by `money_scale`, the mean order value."""

    counts: Vector  # different x
    count_weight: Vector  # customers with this x
    log_totals: float  # sum of x log(x m)
    log_means: float  # sum of log m
    mean: float  # plain mean of the customers' means
    x: Vector  # different (x, m)
    total: Vector  # their x m
    weight: Vector  # customers who have them
    weighted_x: Vector  # x times weight
    money_scale: float


def summarise(x: Vector, m: Vector, weights: Vector | None = None) -> Spending:
    """Count equal spenders; the likelihood of the result is that of the customers."""
    x, m, weight = _group(x, m, weights)
    scale = float(np.exp(np.log(m) @ weight / weight.sum()))
    counts, (count_weight,) = grouping.total_by(x, (weight,))
    m = m / scale
    log_totals, log_means = float((weight * x) @ np.log(x * m)), float(weight @ np.log(m))
    mean = float(m @ weight / weight.sum())
    return Spending(counts, count_weight, log_totals, log_means, mean, x, x * m, weight, x * weight, scale)


def thin(spending: Spending, keep: int) -> Spending:
    """About `keep` of the customers, evenly picked, weighted up, with totals of their own."""
    every = max(1, len(spending.x) // keep)
    x, total, weight = (part[::every] for part in (spending.x, spending.total, spending.weight))
    weight = weight * (spending.weight.sum() / weight.sum())
    counts, (count_weight,) = grouping.total_by(x, (weight,))
    m = total / x
    return spending._replace(
        counts=counts,
        count_weight=count_weight,
        log_totals=float((weight * x) @ np.log(total)),
        log_means=float(weight @ np.log(m)),
        x=x,
        total=total,
        weight=weight,
        weighted_x=x * weight,
    )


def in_money(spending: Spending, scaled_value: float) -> float:
    """The log-likelihood per original unit of money: each mean's density is per unit."""
    return scaled_value - float(spending.weight.sum()) * float(np.log(spending.money_scale))


def gamma_gamma(spending: Spending, point: Vector) -> tuple[float, Vector]:
    """Log-likelihood and its gradient in (log p, log(q - 1), log v)."""
    p, over_one, v = np.exp(point)
    q = 1.0 + over_one
    shape, n = p * spending.counts, spending.count_weight
    orders, customers = n @ spending.counts, n.sum()
    logs, x_logs, shares, x_shares = _row_sums(spending, v)
    pulled = spending.log_totals - orders * np.log(v) - x_logs
    value = -(n @ betaln(shape, q)) + p * pulled - q * logs - spending.log_means
    at_sum = psi(shape + q)
    by_p = (n * spending.counts) @ (at_sum - psi(shape)) + pulled
    by_q = n @ at_sum - customers * psi(q) - logs
    # s / (s + v) is the share of l that a change of log v takes away
    by_log_v = p * x_shares + q * shares - p * orders
    return float(value), np.array([by_p * p, by_q * over_one, by_log_v])


def _group(x: Vector, m: Vector, weights: Vector | None) -> tuple[Vector, Vector, Vector]:
    """Equal (x, m) once, if a look at some of them says that there are enough equals to pay for sorting."""
    some = m[:: max(1, len(m) // 1000)]
    if len(np.unique(some)) > 0.5 * len(some):
        return x, m, np.ones(len(x)) if weights is None else weights
    (gx, gm), weight = grouping.group((x, m), weights)
    return gx, gm, weight


def _row_sums(spending: Spending, v: float) -> Vector:
    """Sums over customers of l, x l, s / (s + v) and x s / (s + v)."""
    sums = np.zeros(4)
    for start in range(0, len(spending.x), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        total, weight = spending.total[rows], spending.weight[rows]
        weighted = spending.weighted_x[rows]
        ratio = total / v
        logs, shares = np.log(1.0 + ratio), ratio / (1.0 + ratio)
        sums += weight @ logs, weighted @ logs, weight @ shares, weighted @ shares
    return sums
