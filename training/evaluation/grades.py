"""A letter for churn and one for value, in the sense of Dynamics 365, given only for what is more than luck.

Dynamics 365 Customer Insights gives A, B or C by how much more its model finds than a plain rule. Its pages leave open
how, and a forecast of "everybody leaves" can earn an A there. Here is what the letters mean:

churn   *Total accuracy* is the share of customers for whom "p_churn above the grid's cut" is what happened. *Accuracy
        among churners* is the share of all churners who are called when false alarms are equal: model and rule are
        each read at the point of their ROC curve where they call as large a share of those who stay as Dynamics' own
        rule does, "no order in X days". The gain is that share divided by the rule's, minus 1.
        A: total accuracy at least 50 %, gain at least 10 %. B: total accuracy at least 50 %, gain above 0. C: else.
        Where the rule alone finds 91 % of the churners nobody can gain 10 %: a model is not much needed there.
value   *High-value* are the customers who brought at least the grid's value cut. Model and rule each name as many
        customers as that are, highest forecast first; *found* is the share of the high-value ones among those named.
        The gain is the model's share divided by the rule's, minus 1. A: gain at least 5 %. B: above 0. C: else.

Three things make the letters stricter than those of Dynamics:

* Gain and total accuracy are read at the lower end of their 95 % bootstrap interval, the gain's being paired.
* The rule is the strongest of all plain rules on this very holdout, not one chosen beforehand.
* The grade is C where the calibration is out of bounds, for a risk or a sum that cannot be believed serves nobody.

BG/NBD × Gamma-Gamma is no rule here. It is a model, and a part of ours: where trees do not help, it is the forecast.
D is below C: the ranking is not surely better than chance, or a plain rule ranks or forecasts better beyond noise.
Scores of such a bundle come without actions.

A grade says how much better off somebody is than without any model; gates G1, G2, G4 and G5 ask about the closed form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import bootstrap, level, outcomes, probability, ranking, scorecard
from tiercast.training.evaluation.bootstrap import Measure, Metric

LEAST_ACCURACY = 0.5
CHURN_STEP, VALUE_STEP = 0.10, 0.05
NOBODY = Metric(float("nan"), float("nan"), float("nan"))


class Grade(NamedTuple):
    """`found` and `found_by_rule` are shares in [0, 1]; `gain` is the first over the second, minus 1.

    `calibration` is the ECE for churn, the bias of the total for value. `why` says the grade in one sentence.
    """

    letter: str
    rule: str
    found: float
    found_by_rule: float
    gain: Metric
    calibration: float
    why: str


def churn(p: Vector, rules: Mapping[str, Vector], churned: Vector, p_cut: float, most_ece: float) -> Grade:
    """The grade of churn probabilities; `rules` must hold `halved_window_rule`, which sets the false alarms.

    p_cut: the grid's, in (0, 1). most_ece: the largest calibration error that is in bounds.
    """
    alarms = _mean(rules["halved_window_rule"][churned == 0])

    def found(pairs: outcomes.Pairs) -> float:
        return ranking.caught(pairs, alarms)

    right = outcomes.pair(((p > p_cut) == (churned == 1)).astype(np.float64), churned)
    accuracy = bootstrap.measure(right, {"": lambda pairs: outcomes.mean(pairs, pairs.forecast)})[""]
    ece = probability.ece(outcomes.pair(p, churned))
    grade = _grade(found, p, rules, churned, CHURN_STEP, "of all churners")._replace(calibration=ece)
    if not accuracy.low >= LEAST_ACCURACY:
        return _refused(grade, f"total accuracy {accuracy.value:.1%} is not surely {LEAST_ACCURACY:.0%}")
    return grade if ece <= most_ece else _refused(grade, f"the calibration error {ece:.3f} is above {most_ece:g}")


def value(forecast: Vector, rules: Mapping[str, Vector], actual: Vector, cut: float, most_bias: float) -> Grade:
    """The grade of a value forecast; `cut` in money, from the grid. most_bias: share the total may be off."""
    is_high = (actual >= cut).astype(np.float64)
    share = _mean(is_high)

    def found(pairs: outcomes.Pairs) -> float:
        return ranking.captured(pairs, share)

    bias = level.bias(outcomes.pair(forecast, actual))
    grade = _grade(found, forecast, rules, is_high, VALUE_STEP, "of the high-value customers")
    grade = grade._replace(calibration=bias)
    if abs(bias) <= most_bias:
        return grade
    return _refused(grade, f"the total is off by {bias:+.1%}, more than {most_bias:.0%}")


def floor(grade: Grade, is_above_chance: bool, lost: tuple[str, ...]) -> Grade:
    """D instead of the grade, where the ranking is not surely better than chance or a plain rule is surely better.

    lost: sentences on what plain rules do better.
    """
    if lost:
        return grade._replace(letter="D", why=f"{lost[0].rstrip('.')}; {grade.why}")
    return grade if is_above_chance else grade._replace(letter="D", why=f"no better than chance; {grade.why}")


def _grade(found: Measure, ours: Vector, rules: Mapping[str, Vector], truth: Vector, step: float, what: str) -> Grade:
    """The grade by the gain alone."""
    shares = {name: found(outcomes.pair(rule, truth)) for name, rule in rules.items()}
    known = {name: share for name, share in shares.items() if share > 0}
    if not known:
        return Grade("C", "", found(outcomes.pair(ours, truth)), 0.0, NOBODY, 0.0, f"no rule finds any {what}")
    rule = max(known, key=lambda name: known[name])
    gain = scorecard.paired_gain(found, ours, rules[rule], truth)
    letter = "A" if gain.low >= step else "B" if gain.low > 0 else "C"
    share = found(outcomes.pair(ours, truth))
    why = (
        f"finds {share:.1%} {what}, {rule} {known[rule]:.1%}: {gain.value:+.1%} ({gain.low:+.1%} to {gain.high:+.1%}), "
        f"for an A at least {step:.0%}"
    )
    return Grade(letter, rule, share, known[rule], gain, 0.0, why)


def _refused(grade: Grade, why: str) -> Grade:
    return grade._replace(letter="C", why=f"{why}; {grade.why}")


def _mean(numbers: Vector) -> float:
    """0 for an empty group."""
    return float(numbers.mean()) if len(numbers) else 0.0
