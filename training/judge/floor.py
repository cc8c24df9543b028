"""The floor: whether a plain rule beats the model on the holdout, beyond noise.

Compared are the ranking and the Brier score of churn, and the ranking of value. The error in money is left out, for it
rewards forecasting too little (see the gates). Only a rule with the better number is resampled, so the usual case
costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import outcomes, probability, ranking, scorecard
from tiercast.training.evaluation.bootstrap import Measure
from tiercast.training.fit.procedure import Rules
from tiercast.training.judge.holdout import MODEL, Judged

MEASURES: Mapping[str, Measure] = {"AUC": ranking.auc, "Brier score": probability.brier, "nGini": ranking.ngini}
LOWER_IS_BETTER = frozenset(("Brier score",))
OF_CHURN, OF_VALUE = ("AUC", "Brier score"), ("nGini",)


class Beaten(NamedTuple):
    """One measure on which a plain rule, or the closed form alone, is better than the model beyond noise."""

    target: str
    measure: str
    rule: str
    by_rule: float
    by_model: float

    @property
    def sentence(self) -> str:
        """For people, such as the first line of a run."""
        numbers = f"{self.measure} {self.by_rule:.3f} by {self.rule}, {self.by_model:.3f} by the model"
        return f"A plain rule forecasts {self.target} better than the model: {numbers}."


def beaten(churn: Judged | None, value: Judged | None) -> tuple[Beaten, ...]:
    """Every measure on which a rule is better beyond noise; empty usually."""
    return (*_beaten("churn", churn, OF_CHURN), *_beaten("value", value, OF_VALUE))


def winners(found: Sequence[Beaten]) -> Rules:
    """The rule that takes the place of each target's stack: the winner of its first lost measure.

    >>> winners([Beaten("churn", "AUC", "recency", 0.83, 0.81), Beaten("churn", "Brier score", "btyd", 0.1, 0.2)])
    Rules(churn='recency', value='')
    """
    by_target = {each.target: each.rule for each in reversed(found)}
    return Rules(by_target.get("churn", ""), by_target.get("value", ""))


def _beaten(target: str, judged: Judged | None, measures: tuple[str, ...]) -> Iterator[Beaten]:
    if judged is None:
        return
    for name in measures:
        rule = _better(name, judged.forecasts, judged.actual)
        if rule is not None:
            by_rule, by_model = (_measured(name, judged.forecasts[who], judged.actual) for who in (rule, MODEL))
            yield Beaten(target, name, rule, by_rule, by_model)


def _better(name: str, forecasts: Mapping[str, Vector], actual: Vector) -> str | None:
    """The best rule, if it is better than the model beyond noise."""
    sign = -1 if name in LOWER_IS_BETTER else 1
    measured = {rule: sign * _measured(name, forecast, actual) for rule, forecast in forecasts.items()}
    best = max(measured, key=lambda rule: measured[rule])
    if best == MODEL or not measured[best] > measured[MODEL]:
        return None
    gain = scorecard.paired_difference(MEASURES[name], forecasts[best], forecasts[MODEL], actual)
    return best if min(sign * gain.low, sign * gain.high) > 0 else None


def _measured(name: str, forecast: Vector, actual: Vector) -> float:
    return MEASURES[name](outcomes.pair(forecast, actual))
