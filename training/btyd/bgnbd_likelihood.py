"""The BG/NBD log-likelihood and its gradient on sufficient statistics.

Eq. 6 of Fader, Hardie & Lee (2005), in logs, falls into three sums that need different things:

    rising factorials of r, b and a + b     how many customers have x repeat orders
    -(r + x) log(1 + T / alpha)             for each T: how many customers, how many orders
    log(1 + odds of having left)            the different (x, t_x, T) with x > 0

Only the last is long; one-time buyers, usually most of the customers, are not in it at all.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from scipy.special import psi

from models import bgnbd
from models.vectors import Vector
from training.btyd import grouping

ROWS_AT_ONCE = 4096  # work arrays stay in the cache, and BLAS starts no threads for sums this short
WORTH_A_BLOCK = 1024


class Histories(NamedTuple):
    """Sufficient statistics. Times are divided by `time_scale`, the mean age."""

    counts: Vector  # different x
    count_weight: Vector  # customers with this x
    ages: Vector  # different T
    age_weight: Vector  # customers of this T
    age_orders: Vector  # their repeat orders
    t_x: Vector  # different histories with x > 0, by x ...
    T: Vector
    weight: Vector  # ... customers who have them ...
    x: Vector
    blocks: tuple[tuple[float | Vector, slice], ...]  # ... and how to cut them
    time_scale: float


def summarise(x: Vector, t_x: Vector, T: Vector, weights: Vector | None = None) -> Histories:
    """Count equal histories; the likelihood of the result is that of the customers."""
    (gx, gt, gT), weight = grouping.group((x, t_x, T), weights)
    scale = float((gT * weight).sum() / weight.sum())
    counts, (count_weight,) = grouping.total_by(gx, (weight,))
    ages, (age_weight, age_orders) = grouping.total_by(gT, (weight, weight * gx))
    some = gx > 0
    long = gt[some] / scale, gT[some] / scale, weight[some], gx[some]
    return Histories(counts, count_weight, ages / scale, age_weight, age_orders, *long, _blocks(gx[some]), scale)


def thin(histories: Histories, keep: int) -> Histories:
    """About `keep` of the long histories, evenly picked, weighted up: close enough to start from."""
    every = max(1, len(histories.x) // keep)
    t_x, T, weight, x = (part[::every] for part in histories[5:9])
    weight = weight * (histories.weight.sum() / weight.sum())
    return histories._replace(t_x=t_x, T=T, weight=weight, x=x, blocks=_blocks(x))


def in_days(histories: Histories, scaled_value: float) -> float:
    """The log-likelihood per original time unit: each repeat order's density is per unit of time."""
    return scaled_value - float(histories.age_orders.sum()) * float(np.log(histories.time_scale))


def nbd(histories: Histories, log_params: Vector) -> tuple[float, Vector]:
    """Log-likelihood without dropout and its gradient in (log r, log alpha)."""
    r, alpha = np.exp(log_params)
    n, orders = histories.age_weight, histories.age_orders
    log_grown = np.log(1.0 + histories.ages / alpha)
    value = (
        histories.count_weight @ bgnbd.log_rising(r, histories.counts)
        - r * (n @ log_grown)
        - orders @ log_grown
        - orders.sum() * np.log(alpha)
    )
    by_r = histories.count_weight @ (psi(r + histories.counts) - psi(r)) - n @ log_grown
    # d/d alpha of -(r + x) log(1 + T / alpha) - x log(alpha), times alpha
    by_log_alpha = ((r * n + orders) * (histories.ages / (alpha + histories.ages))).sum() - orders.sum()
    return float(value), np.array([by_r * r, by_log_alpha])


def bg_nbd(histories: Histories, log_params: Vector) -> tuple[float, Vector]:
    """Log-likelihood and its gradient in (log r, log alpha, log a, log b)."""
    r, alpha, a, b = np.exp(log_params)
    counts, n = histories.counts, histories.count_weight
    value, gradient = nbd(histories, log_params[:2])
    gone, gone_gradient = _dropout(histories, r, alpha, a, b)
    total = psi(a + b + counts) - psi(a + b)
    value += float(n @ (bgnbd.log_rising(b, counts) - bgnbd.log_rising(a + b, counts))) + gone
    by_choice = np.array([-(n @ total) * a, n @ (psi(b + counts) - psi(b) - total) * b])
    return value, np.concatenate([gradient, by_choice]) + gone_gradient


def _dropout(histories: Histories, r: float, alpha: float, a: float, b: float) -> tuple[float, Vector]:
    """The sum of log(1 + odds of having left), and its gradient in the log-parameters."""
    value, gradient = 0.0, np.zeros(4)
    for x, rows in histories.blocks:
        times = histories.t_x[rows], histories.T[rows], histories.weight[rows]
        part, part_gradient = _dropout_of(x, *times, (r, alpha, a, b))
        value, gradient = value + part, gradient + part_gradient
    return value, gradient


def _dropout_of(
    x: float | Vector, t_x: Vector, T: Vector, weight: Vector, params: tuple[float, float, float, float]
) -> tuple[float, Vector]:
    """One block of it; with z the log-odds, log(1 + e^z) = max(z, 0) + log(1 + e^-|z|) never overflows."""
    r, alpha, a, b = params
    older, old, choices = T + alpha, t_x + alpha, x + (b - 1.0)
    log_silence = np.log(older / old)
    log_odds = log_silence * (r + x) + np.log(a / choices)
    small = np.exp(-np.abs(log_odds))
    one_more = small + 1.0
    value = weight @ np.maximum(log_odds, 0.0) + weight @ np.log(one_more)
    gone = weight * np.where(log_odds > 0, 1.0, small) / one_more
    by_log_alpha = -alpha * ((gone * (r + x)) @ ((T - t_x) / (older * old)))
    return float(value), np.array([r * (gone @ log_silence), by_log_alpha, gone.sum(), -b * (gone / choices).sum()])


def _blocks(x: Vector) -> tuple[tuple[float | Vector, slice], ...]:
    """Cut rows in ascending order of x into blocks of ROWS_AT_ONCE; where a block has one x, as a plain number."""
    ends = np.flatnonzero(np.diff(x, append=-1.0)) + 1
    lengths = np.diff(ends, prepend=0)
    is_long = lengths >= WORTH_A_BLOCK
    cuts = np.unique([0, *(ends - lengths)[is_long], *ends[is_long], len(x)])
    return tuple(
        (_plain_if_equal(x[first : min(first + ROWS_AT_ONCE, end)]), slice(first, min(first + ROWS_AT_ONCE, end)))
        for begin, end in itertools.pairwise(cuts.tolist())
        for first in range(begin, end, ROWS_AT_ONCE)
    )


def _plain_if_equal(x: Vector) -> float | Vector:
    return float(x[0]) if x[0] == x[-1] else x
