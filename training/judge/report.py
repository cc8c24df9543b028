"""The scorecard of a holdout as plain data, for the bundle, MLflow, the terminal and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tiercast.contract.vectors import Vector
from tiercast.features.reading import ReadingReport
from tiercast.training.evaluation import grades, level, ranges
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.evaluation.grades import Grade
from tiercast.training.evaluation.scorecard import paired_difference
from tiercast.training.judge.floor import Beaten
from tiercast.training.judge.holdout import CLOSED_FORM, MODEL, Cards, Judged, ValueJudged
from tiercast.training.judge.limits import LIMITS

NO_BETTER_AUC, NO_BETTER_NGINI = 0.5, 0.0  # of a forecast that knows nothing


def scorecard(
    churn: Judged | None,
    value: ValueJudged | None,
    notes: Sequence[str],
    read: ReadingReport | None = None,
    beaten: Sequence[Beaten] = (),
) -> dict[str, Any]:
    """Per target the window, and per model or baseline every metric with its 95 % interval."""
    lost = [each._asdict() | {"sentence": each.sentence} for each in beaten]
    out: dict[str, Any] = {"notes": list(notes), "beaten": lost}
    if churn is not None:
        out["churn"] = _target(churn) | {
            "n_churned": int(churn.actual.sum()),
            "grade": _graded(_churn_grade(churn, beaten)),
        }
    if value is not None:
        shares = {"overall": value.intervals.overall, **value.intervals.by_group}
        out["value"] = _target(value.judged) | {
            "intervals": {name: group._asdict() for name, group in shares.items()},
            "mae_over_closed_form": _numbers(_worse(value.judged)),
            "grade": _graded(_value_grade(value.judged, beaten)),
        }
    if read is not None:
        out["rows"] = {"known": read.rows_known, "dropped": read.dropped_known}
    return out


def metrics(card: Mapping[str, Any], model: str = MODEL) -> dict[str, float]:
    """One flat number per metric of one model, named `churn_auc`, `value_mae`."""
    flat = {
        f"{target}_{name}": metric["value"]
        for target in ("churn", "value")
        for name, metric in card.get(target, {}).get("models", {}).get(model, {}).items()
    }
    shares = card.get("value", {}).get("intervals", {}).get("overall", {}) if model == MODEL else {}
    return flat | {f"value_{name}": shares[name] for name in ranges.SHARES if shares.get(name) is not None}


def letters(card: Mapping[str, Any]) -> dict[str, str]:
    """The grade of each target that was judged."""
    return {target: card[target]["grade"]["letter"] for target in ("churn", "value") if "grade" in card.get(target, {})}


def _churn_grade(judged: Judged, beaten: Sequence[Beaten]) -> Grade:
    grade = grades.churn(*_forecasts(judged), judged.cuts.p_churn, LIMITS.ece)
    return grades.floor(grade, judged.cards[MODEL]["auc"].low > NO_BETTER_AUC, _lost(beaten, "churn"))


def _value_grade(judged: Judged, beaten: Sequence[Beaten]) -> Grade:
    grade = grades.value(*_forecasts(judged), judged.cuts.value, LIMITS.bias)
    return grades.floor(grade, judged.cards[MODEL]["ngini"].low > NO_BETTER_NGINI, _lost(beaten, "value"))


def _lost(beaten: Sequence[Beaten], target: str) -> tuple[str, ...]:
    """What plain rules do better; the closed form is a model and no plain rule."""
    return tuple(each.sentence for each in beaten if each.target == target and each.rule != CLOSED_FORM)


def _forecasts(judged: Judged) -> tuple[Vector, dict[str, Vector], Vector]:
    """Ours, the plain rules, and what happened."""
    rules = {name: rule for name, rule in judged.forecasts.items() if name not in (MODEL, CLOSED_FORM)}
    return judged.forecasts[MODEL], rules, judged.actual


def _graded(grade: Grade) -> dict[str, Any]:
    return grade._asdict() | {"gain": _numbers(grade.gain)}


def _target(judged: Judged) -> dict[str, Any]:
    return {
        "as_of": judged.as_of.isoformat(),
        "days": judged.days,
        "n_customers": judged.n_customers,
        "models": _plain(judged.cards),
    }


def _worse(judged: Judged) -> Metric:
    """How much larger our error is than the closed form's, on the same resampled customers."""
    ours, theirs = judged.forecasts[MODEL], judged.forecasts[CLOSED_FORM]
    return paired_difference(level.mae, ours, theirs, judged.actual)


def _plain(cards: Cards) -> dict[str, dict[str, dict[str, float]]]:
    return {model: {name: _numbers(m) for name, m in card.items()} for model, card in cards.items()}


def _numbers(metric: Metric) -> dict[str, float]:
    return {part: float(number) for part, number in metric._asdict().items()}
