"""What a likelihood needs to know of the customers' histories, and the part of it that all models share.

In logs, the likelihood of BG/NBD, of MBG/NBD and of Pareto/NBD falls into sums that need different things:

    rising factorials of r, and of the chances to leave   how many customers have x repeat orders
    -(r + x) log(1 + T / alpha)                            for each T: how many customers, how many orders
    log(1 + odds of having left)                           the different (x, t_x, T) of those who can have left

Only the last is long. Under BG/NBD one-time buyers, usually most of the customers, are not in it at all; under the
other two they are as many rows as there are ages.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from scipy.special import psi

from tiercast.contract.vectors import Vector
from tiercast.models import chances
from tiercast.training.btyd import grouping

ROWS_AT_ONCE = 4096  # work arrays stay in the cache, and BLAS starts no threads for sums this short
WORTH_A_BLOCK = 1024


class Histories(NamedTuple):
    """Sufficient statistics. Times are divided by `time_scale`, the mean age."""

    counts: Vector  # different x
    count_weight: Vector  # customers with this x
    ages: Vector  # different T
    age_weight: Vector  # customers of this T
    age_orders: Vector  # their repeat orders
    t_x: Vector  # different histories of those who can have left, by x ...
    T: Vector
    weight: Vector  # ... customers who have them ...
    x: Vector
    blocks: tuple[tuple[float | Vector, slice], ...]  # ... and how to cut them
    time_scale: float


def summarise(
    x: Vector, t_x: Vector, T: Vector, weights: Vector | None = None, *, one_timers_leave: bool = False
) -> Histories:
    """Count equal histories; the likelihood of the result is that of the customers."""
    (gx, gt, gT), weight = grouping.group((x, t_x, T), weights)
    scale = float((gT * weight).sum() / weight.sum())
    counts, (count_weight,) = grouping.total_by(gx, (weight,))
    ages, (age_weight, age_orders) = grouping.total_by(gT, (weight, weight * gx))
    some = (gx > 0) | one_timers_leave
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


def without_leaving(histories: Histories, log_params: Vector) -> tuple[float, Vector]:
    """The log-likelihood of NBD, the model without dropout, and its gradient in (log r, log alpha)."""
    r, alpha = np.exp(log_params)
    n, orders = histories.age_weight, histories.age_orders
    log_grown = np.log(1.0 + histories.ages / alpha)
    value = (
        histories.count_weight @ chances.log_rising(r, histories.counts)
        - r * (n @ log_grown)
        - orders @ log_grown
        - orders.sum() * np.log(alpha)
    )
    by_r = histories.count_weight @ (psi(r + histories.counts) - psi(r)) - n @ log_grown
    # d/d alpha of -(r + x) log(1 + T / alpha) - x log(alpha), times alpha
    by_log_alpha = ((r * n + orders) * (histories.ages / (alpha + histories.ages))).sum() - orders.sum()
    return float(value), np.array([by_r * r, by_log_alpha])


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
