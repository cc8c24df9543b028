"""One day's forecasts beside every plain rule's, on what happened after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from benchmarks.rolling.rules import Rules
from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import level, outcomes, probability, ranking, scorecard
from tiercast.training.evaluation.bootstrap import Measure, Metric
from tiercast.training.evaluation.outcomes import Pairs

WORSE, TIE, BETTER = "worse", "tie", "better"
DRAWS = 200


def off_total(pairs: Pairs) -> float:
    """How far the total is off, in either direction."""
    return abs(level.bias(pairs))


HIGHER: Mapping[str, Measure] = {"AUC": ranking.auc, "nGini": ranking.ngini}
LOWER: Mapping[str, Measure] = {
    "Brier": probability.brier,
    "ECE": probability.ece,
    "MAE": level.mae,
    "total": off_total,
}
OF_CHURN, OF_VALUE = ("AUC", "Brier", "ECE"), ("nGini", "MAE", "total")


class Forecast(NamedTuple):
    """One entry per customer: the risk, the money, and the ends of its range."""

    p_churn: Vector
    value: Vector
    low: Vector
    high: Vector


class Comparison(NamedTuple):
    """One measure of one day: ours, every rule's, and our gain over the rule that was best in hindsight.

    The gain is positive where we are better, whichever direction the measure has.
    """

    measure: str
    ours: float
    rules: Mapping[str, float]
    best: str
    gain: Metric

    @property
    def verdict(self) -> str:
        """Beyond noise: the 95 % interval of the paired gain leaves out 0."""
        return BETTER if self.gain.low > 0 else WORSE if self.gain.high < 0 else TIE


def compare(forecast: Forecast, rules: Rules, churned: Vector, value: Vector, draws: int = DRAWS) -> list[Comparison]:
    """Every measure, churn's first."""
    churn = [_compare(name, forecast.p_churn, rules.churn, churned, draws) for name in OF_CHURN]
    return churn + [_compare(name, forecast.value, rules.value, value, draws) for name in OF_VALUE]


def _compare(name: str, ours: Vector, rules: Mapping[str, Vector], actual: Vector, draws: int) -> Comparison:
    measure, sign = (HIGHER[name], 1) if name in HIGHER else (LOWER[name], -1)
    found = {rule: measure(outcomes.pair(said, actual)) for rule, said in rules.items()}
    best = max(found, key=lambda rule: sign * np.nan_to_num(found[rule], nan=-sign * np.inf))
    gain = scorecard.paired_difference(measure, ours, rules[best], actual, draws)
    return Comparison(name, measure(outcomes.pair(ours, actual)), found, best, _turned(gain, sign))


def _turned(metric: Metric, sign: int) -> Metric:
    low, high = sorted((sign * metric.low, sign * metric.high))
    return Metric(sign * metric.value, low, high)
