"""The integral in the expected orders of BG/NBD: the future orders of an alive customer.

Given an order rate `l` and a leaving probability `p`, an alive customer places (1 - exp(-l p h)) / p
orders in the next h (each order is the last one with probability p). Averaged over the posterior
l ~ gamma(R, A) and p ~ beta(a, B), with s = h / A:

    E = E_p[ (1 - (1 + p s) ** -R) / p ]                                               (*)
      = (a + B - 1) / (a - 1) * (1 - 2F1(R, a - 1; a + B - 1; -s))

The second line is the bracket of eq. 9 and 10 of Fader, Hardie & Lee (2005) after Pfaff's transformation.
Euler's transformation gives, with z = s / (1 + s), c = a + B - 1 and k = c - R,

    2F1(R, a - 1; c; -s) = (1 - z) ** (a - 1) * 2F1(k, a - 1; c; z),

where the hypergeometric function no longer contains R, the large number: k does not depend on x, and terms shrink as c
grows. The paper's own form overflows for a few hundred orders. Where this form loses precision too (a near 1, huge
parameters), (*) is summed directly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import hyp2f1, log_expit

from tiercast.contract.vectors import Vector

NODES = 257
ROWS_AT_ONCE = 512
ROUNDING = 2e-16


def orders_until_leaving(a: float, B: Vector, R: Vector, s: Vector) -> Vector:
    """E_p[(1 - (1 + p s) ** -R) / p] for p ~ beta(a, B), between 0 and R s.

    `a` > 0; `B`, `R`, `s` broadcast against each other.

    >>> orders_until_leaving(1.0, np.array([1.0]), np.array([1.0]), np.array([1.0])).round(6)  # log(2), by hand
    array([0.693147])
    """
    B, R, s = (np.asarray(part, dtype=np.float64) for part in np.broadcast_arrays(B, R, s))
    result = _euler(a, B, R, s)
    unsure = np.logical_not(_is_sure(a, B, R, s, result))
    if unsure.any():
        result[unsure] = by_summation(a, B[unsure], R[unsure], s[unsure])
    return np.clip(result, 0.0, R * s)


def by_summation(a: float, B: Vector, R: Vector, s: Vector) -> Vector:
    """The same expectation as a weighted mean over nodes of p: slower, right for every parameter.

    With p = expit(y) and y = centre + scale * sinh(w), the weight of a node decays doubly exponentially
    on both sides, so equally spaced w converge exponentially. The weights are normalised by their own
    sum: the result is a mean of the bracket in (*), whatever happens.
    """
    result = np.empty_like(B)
    for start in range(0, len(B), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        result[rows] = _weighted_mean(a, B[rows, None], R[rows, None], s[rows, None])
    return result


def _weighted_mean(a: float, B: Vector, R: Vector, s: Vector) -> Vector:
    scale = np.minimum(np.sqrt(1.0 / a + 1.0 / B), 1.0)
    reach = np.arcsinh(40.0 / (np.minimum(a, B) * scale) + 12.0)
    w = reach * np.linspace(-1.0, 1.0, NODES)
    log_odds = np.log(a) - np.log(B) + scale * np.sinh(w)
    log_p = log_expit(log_odds)
    log_weight = a * log_p + B * log_expit(-log_odds) + np.log(np.cosh(w))
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return np.asarray((weight * _bracket(np.exp(log_p), R, s)).sum(axis=1) / weight.sum(axis=1), dtype=np.float64)


def _bracket(p: Vector, R: Vector, s: Vector) -> Vector:
    """(1 - (1 + p s) ** -R) / p, and its limit R s where p s is too small to divide by."""
    tiny = p * s * np.maximum(R, 1.0) < 1e-12
    safe = np.where(tiny, 1.0, p)
    return np.where(tiny, R * s, -np.expm1(-R * np.log1p(safe * s)) / safe)


def _euler(a: float, B: Vector, R: Vector, s: Vector) -> Vector:
    c = a + B - 1.0
    with np.errstate(all="ignore"):  # what overflows here is summed directly afterwards
        powered = np.exp(-(a - 1.0) * np.log1p(s)) * hyp2f1(c - R, a - 1.0, c, s / (1.0 + s))
        return np.asarray(c / np.float64(a - 1.0) * (1.0 - powered), dtype=np.float64)


def _is_sure(a: float, B: Vector, R: Vector, s: Vector, result: Vector) -> NDArray[np.bool_]:
    """In bounds, and not the small difference of two large numbers: near a == 1, or c much above E."""
    with np.errstate(all="ignore"):
        rounding = ROUNDING * np.abs((a + B - 1.0) / (a - 1.0) / result)
    return (result > 0.0) & (result <= R * s * (1.0 + 1e-9)) & (rounding < 1e-9)
