"""Whether a plain rule beats the model on the holdout, beyond noise: what nobody should have to look for in a table.

Asked of what a model is for: the ranking and the Brier score of churn, the ranking of value. The error in money is left
out, for it rewards forecasting too little (see the gates). Only a rule with the better number is resampled, so the
usual answer costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import outcomes, probability, ranking, scorecard
from tiercast.training.evaluation.bootstrap import Measure
from tiercast.training.judge.holdout import MODEL, Judged

HIGHER: Mapping[str, Measure] = {"AUC": ranking.auc, "nGini": ranking.ngini}
LOWER: Mapping[str, Measure] = {"Brier score": probability.brier}
OF_CHURN, OF_VALUE = ("AUC", "Brier score"), ("nGini",)


def beaten(churn: Judged | None, value: Judged | None) -> tuple[str, ...]:
    """One sentence per measure on which a rule, or the closed form alone, is better beyond noise; empty usually."""
    found = [*_sentences("churn", churn, OF_CHURN), *_sentences("value", value, OF_VALUE)]
    return tuple(found)


def _sentences(target: str, judged: Judged | None, measures: tuple[str, ...]) -> Iterator[str]:
    if judged is None:
        return
    for name in measures:
        rule = _better(name, judged.forecasts, judged.actual)
        if rule is not None:
            ours, theirs = (_measured(name, judged.forecasts[who], judged.actual) for who in (MODEL, rule))
            found = f"{name} {theirs:.3f} by {rule}, {ours:.3f} by the model"
            yield f"A plain rule forecasts {target} better than the model: {found}."


def _better(name: str, forecasts: Mapping[str, Vector], actual: Vector) -> str | None:
    """The best rule, if it is better than the model beyond noise."""
    sign = 1 if name in HIGHER else -1
    measured = {rule: sign * _measured(name, forecast, actual) for rule, forecast in forecasts.items()}
    best = max(measured, key=lambda rule: measured[rule])
    if best == MODEL or not measured[best] > measured[MODEL]:
        return None
    measure = HIGHER[name] if name in HIGHER else LOWER[name]
    gain = scorecard.paired_difference(measure, forecasts[best], forecasts[MODEL], actual)
    return best if min(sign * gain.low, sign * gain.high) > 0 else None


def _measured(name: str, forecast: Vector, actual: Vector) -> float:
    measure = HIGHER[name] if name in HIGHER else LOWER[name]
    return measure(outcomes.pair(forecast, actual))
