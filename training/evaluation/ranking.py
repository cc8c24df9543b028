"""The ranking of a forecast: how well it puts the right customers on top.

Ranking metrics do not change when forecasts go through any increasing function. A constant forecast
ranks nobody: AUC 0.5, lift 1, Gini and Spearman 0 or undefined.
"""

from __future__ import annotations

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import outcomes
from tiercast.training.evaluation.outcomes import Pairs, Steps


def auc(pairs: Pairs) -> float:
    """Chance that a churned customer is ranked above one who stayed, in [0, 1]; a tie counts half.

    The Mann-Whitney form of the area under the ROC curve. nan when everybody or nobody churned.

    >>> auc(outcomes.pair(np.array([0.9, 0.5, 0.5, 0.1]), np.array([1.0, 1.0, 0.0, 0.0])))
    0.875
    """
    steps = pairs.best_first
    kept = steps.weight - steps.actual
    area = np.sum(np.diff(kept) * (steps.actual[1:] + steps.actual[:-1])) / 2
    return outcomes.ratio(area, steps.actual[-1] * kept[-1])


def pr_auc(pairs: Pairs) -> float:
    """Average precision: precision at each distinct score, weighted by the churners it adds; (0, 1].

    A random order scores the churn rate, so read it beside that. nan when nobody churned.
    """
    steps = pairs.best_first
    found, reached = steps.actual[1:], steps.weight[1:]
    precision = np.divide(found, reached, out=np.zeros_like(found), where=reached > 0)
    return outcomes.ratio(np.sum(precision * np.diff(steps.actual)), found[-1])


def top_decile_lift(pairs: Pairs) -> float:
    """How many times more churners the top tenth holds than a tenth drawn blindly; 1 is no skill."""
    return captured(pairs, 0.1) / 0.1


def captured(pairs: Pairs, share: float) -> float:
    """Part of all that was realised which the top `share` of customers by forecast brought.

    nan when nothing was realised. Above 1 is possible only where refunds make outcomes negative.
    """
    steps = pairs.best_first
    return outcomes.ratio(np.interp(share * steps.weight[-1], steps.weight, steps.actual), steps.actual[-1])


def caught(pairs: Pairs, false_alarms: float) -> float:
    """Part of all who churned that is called when so large a part of those who stayed is called too; in [0, 1].

    The ROC curve read at one point: unlike the share in a list of fixed length it can reach 1 at any churn rate. nan
    when everybody or nobody churned.

    >>> caught(outcomes.pair(np.array([0.9, 0.7, 0.5, 0.1]), np.array([1.0, 0.0, 1.0, 0.0])), 0.0)
    0.5
    """
    steps = pairs.best_first
    kept = steps.weight - steps.actual
    if kept[-1] == 0:
        return float("nan")
    return outcomes.ratio(np.interp(false_alarms * kept[-1], kept, steps.actual), steps.actual[-1])


def captured_top10(pairs: Pairs) -> float:
    """Part of the realised value that the predicted top 10 % brought."""
    return captured(pairs, 0.1)


def captured_top20(pairs: Pairs) -> float:
    """Part of the realised value that the predicted top 20 % brought."""
    return captured(pairs, 0.2)


def ngini(pairs: Pairs) -> float:
    """Normalised Gini: how close the ranking comes to the true one; 1 perfect, 0 random, -1 reversed.

    Gini(forecast) / Gini(truth), where the Gini is twice the area between the gains curve and the
    diagonal. nan when all outcomes are equal, for then there is nothing to rank.

    >>> ngini(outcomes.pair(np.array([3.0, 2.0, 1.0]), np.array([10.0, 0.0, 20.0])))
    -0.5
    """
    return outcomes.ratio(_gini(pairs.best_first), _gini(pairs.truth_first))


def spearman(pairs: Pairs) -> float:
    """Rank correlation of forecast and outcome, in [-1, 1]; ties take their middle rank.

    nan when either side is constant.
    """
    forecast = _centred_ranks(pairs.best_first.weight)[pairs.forecast_tie]
    actual = _centred_ranks(pairs.truth_first.weight)[pairs.actual_tie]
    spread = np.sqrt(outcomes.total(pairs, forecast**2) * outcomes.total(pairs, actual**2))
    return outcomes.ratio(outcomes.total(pairs, forecast * actual), spread)


def gains_curve(pairs: Pairs) -> tuple[Vector, Vector]:
    """Share of customers taken from the top of the ranking, and the share of all outcomes they hold.

    Both from 0 to 1, one point per distinct forecast. The lift curve is the second over the first.
    """
    steps = pairs.best_first
    return steps.weight / steps.weight[-1], steps.actual / steps.actual[-1]


def _gini(steps: Steps) -> float:
    """Twice the area between gains curve and diagonal, trapezoids being exact for tied customers."""
    if steps.actual[-1] == 0:
        return float("nan")
    area = np.trapezoid(steps.actual / steps.actual[-1], steps.weight / steps.weight[-1])
    return 0.0 if len(steps.weight) == 2 else float(2 * area - 1)


def _centred_ranks(running_weight: Vector) -> Vector:
    """Middle rank of each distinct value in the weighted sample, minus the mean rank."""
    ranks: Vector = (running_weight[1:] + running_weight[:-1] - running_weight[-1]) / 2
    return ranks
