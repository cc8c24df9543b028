"""The one hard integral of Pareto/NBD: the odds that a customer left in silence.

A customer who ordered R - r times by t and was silent since either stayed until T, or left at some y in between:

    odds = s * integral from t to T of  ((alpha+T) / (alpha+y)) ** R * ((beta+T) / (beta+y)) ** s * dy / (beta+y)

Schmittlein, Morrison & Colombo (1987) and Fader & Hardie (2005, "A note on deriving the Pareto/NBD model") write it as
the difference of two hypergeometric functions, in one form for alpha >= beta and another for alpha < beta; the
difference loses its digits where t is close to T, and powers of days overflow for frequent buyers. Summed directly,
every term is positive and kept as a logarithm, there is one form for all, and the derivatives are sums over the same
nodes.

With y = t + m (exp(u) - 1) and m = min(alpha, beta) + t, both logarithms are smooth in u (their nearest singularity
lies pi away from the real line), so a few Gauss-Legendre nodes in u are enough. What comes after the integrand has
fallen by a factor of exp(45) is left out: it is below rounding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre

from tiercast.contract.vectors import Vector

NODES = 32  # against 1,200 nodes: 1e-11 for parameters of shops, 1e-7 for the wildest that tests try
NEGLIGIBLE = 45.0
ROWS_AT_ONCE = 1024  # work arrays of 1024 x 32 stay in the cache

_PLACES, _WEIGHTS = legendre.leggauss(NODES)
_SHARE, _LOG_WEIGHT = (_PLACES + 1.0) / 2.0, np.log(_WEIGHTS / 2.0)


class ExitRates(NamedTuple):
    """The gamma distributions of a group of customers: ordering (shape R, a vector, rate alpha), leaving (s, beta)."""

    R: Vector
    alpha: float
    s: float
    beta: float


class Terms(NamedTuple):
    """Shape (customers, NODES). At age `y` the customer may have left; that is one term of the odds.

    `silence` is log((alpha + T) / (alpha + y)), `stay` the same with beta: what the derivatives are made of.
    """

    y: Vector
    silence: Vector
    stay: Vector
    log_term: Vector


def log_odds(rates: ExitRates, t: Vector, T: Vector) -> Vector:
    """log of P(left in [t, T]) / P(still here), given no order in between; -inf where t == T or s == 0.

    >>> one = np.array([1.0])
    >>> log_odds(ExitRates(one, 1.0, 1.0, 1.0), np.array([0.0]), one).round(6)      # odds (2 ** 2 - 1) / 2, by hand
    array([0.405465])
    """
    answer = np.full(np.shape(t), -np.inf)
    if rates.s == 0.0:
        return answer
    for start in range(0, len(t), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        answer[rows], _ = total(terms(rates._replace(R=rates.R[rows]), t[rows], T[rows]))
    return answer


def total(parts: Terms) -> tuple[Vector, Vector]:
    """The log-odds, and each node's share of the odds; -inf and shares of 0 where no customer can have left."""
    highest = parts.log_term.max(axis=1)
    scaled = np.exp(parts.log_term - np.maximum(highest, -1e300)[:, None])
    summed = scaled.sum(axis=1)
    with np.errstate(divide="ignore"):  # no customer leaves in no time
        return highest + np.log(summed), scaled / np.maximum(summed, 1.0)[:, None]


def terms(rates: ExitRates, t: Vector, T: Vector) -> Terms:
    """What the odds are the sum of, for `s` > 0; all of a row are -inf where t == T."""
    R, alpha, s, beta = rates
    m = min(alpha, beta) + t
    with np.errstate(over="ignore", divide="ignore"):
        end = np.minimum(
            T - t, np.minimum((alpha + t) * np.expm1(NEGLIGIBLE / R), (beta + t) * np.expm1(NEGLIGIBLE / s))
        )
        length = np.log1p(end / m)
        log_length = np.log(length)[:, None]
    u = length[:, None] * _SHARE
    step = m[:, None] * np.expm1(u)
    small = np.log(m)[:, None] + u  # log(min(alpha, beta) + y): linear in u
    large = np.log((max(alpha, beta) + t)[:, None] + step)
    log_alpha, log_beta = (small, large) if alpha <= beta else (large, small)
    silence, stay = np.log(alpha + T)[:, None] - log_alpha, np.log(beta + T)[:, None] - log_beta
    log_slope = small - log_beta + log_length
    return Terms(
        t[:, None] + step, silence, stay, R[:, None] * silence + s * stay + (np.log(s) + _LOG_WEIGHT) + log_slope
    )
