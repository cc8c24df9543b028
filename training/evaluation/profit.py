"""What a retention campaign earns when it follows the ranking.

Verbraken, Verbeke & Baesens (2013), "A novel profit maximizing metric for measuring classification
performance of customer churn prediction models", IEEE TKDE 25(5), doi 10.1109/TKDE.2012.50. Per customer of the
base, contacting everybody ranked above a threshold earns

    P(gamma) = clv * (gamma * (1 - delta) - phi) * pi_0 * F_0  -  clv * (delta + phi) * pi_1 * F_1

with pi_0 F_0 the share of customers who are churners and contacted, pi_1 F_1 the share who would have
stayed and are contacted, delta = d / clv, phi = f / clv, and gamma the chance that a churner takes the offer and stays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import optimize, special

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation.outcomes import Pairs


class Campaign(NamedTuple):
    """The economics of one retention offer; the defaults are those of the R package EMP."""

    alpha: float = 6.0
    """First shape of the Beta distribution of gamma."""
    beta: float = 14.0
    """Second shape; the defaults give a mean acceptance of 0.3."""
    clv: float = 200.0
    """Value of a customer who stays, money."""
    d: float = 10.0
    """Cost of the offer where it is taken, money; all who would have stayed take it."""
    f: float = 1.0
    """Cost of contacting one customer, money."""


TEXTBOOK = Campaign()


def empc(pairs: Pairs, campaign: Campaign = TEXTBOOK) -> float:
    """Expected maximum profit per customer of the base, money, when every gamma gets its best threshold.

    The best thresholds are the corners of the convex hull of the ROC curve, and the slope of the hull
    between two corners is the churn rate p of the customers between them. That is isotonic regression of
    churn on the ranking (Fawcett & Niculescu-Mizil 2007). On a segment with rate p, P grows per customer by

        g(gamma) = clv * gamma * (1 - delta) * p - f - d * (1 - p)

    which rises in p, so the maximum over thresholds takes exactly the segments with g > 0, and the expectation
    of the maximum is the mean over customers of E[max(g(gamma), 0)]: no threshold has to be searched.
    """
    p, weight = hull(pairs)
    return float(np.average(expected_gain(p, campaign), weights=weight))


def hull(pairs: Pairs) -> tuple[Vector, Vector]:
    """Segments of the ROC curve's convex hull, steepest first: their churn rate and weight of customers."""
    steps = pairs.best_first
    weight, churned = np.diff(steps.weight), np.diff(steps.actual)
    there = weight > 0
    weight, rate = weight[there], churned[there] / weight[there]
    pooled = optimize.isotonic_regression(rate, weights=weight, increasing=False)
    starts = pooled.blocks[:-1]
    return np.asarray(pooled.x)[starts], np.add.reduceat(weight, starts)


def expected_gain(p: Vector, campaign: Campaign = TEXTBOOK) -> Vector:
    """E[max(g(gamma), 0)] for customers who churn with probability p, money per customer.

    With gamma ~ Beta(alpha, beta), E[gamma; gamma > c] = alpha / (alpha + beta) * P(Beta(alpha + 1, beta) > c).

    >>> expected_gain(np.array([0.0, 1.0])).round(4)            # 200 * 0.95 * 0.3 - 1 = 56
    array([ 0., 56.])
    """
    alpha, beta, clv, d, f = campaign
    upside, cost = (clv - d) * p, f + d * (1 - p)
    breakeven = np.divide(cost, upside, out=np.ones_like(p), where=upside > cost)
    taken = alpha / (alpha + beta) * special.betaincc(alpha + 1, beta, breakeven)
    return np.asarray(upside * taken - cost * special.betaincc(alpha, beta, breakeven))


def profit_curve(pairs: Pairs, campaign: Campaign = TEXTBOOK) -> tuple[Vector, Vector]:
    """Share of customers contacted from the top, and profit per customer of the base at the mean gamma."""
    alpha, beta, clv, d, f = campaign
    steps = pairs.best_first
    reached, churners = steps.weight / steps.weight[-1], steps.actual / steps.weight[-1]
    return reached, churners * (clv - d) * alpha / (alpha + beta) - f * reached - d * (reached - churners)
