"""What the holdout said, as plain data: in the bundle, in MLflow, on the screen and for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.evaluation.bootstrap import Metric
from training.holdout import Cards, Judged, ValueJudged


def scorecard(churn: Judged | None, value: ValueJudged | None, notes: Sequence[str]) -> dict[str, Any]:
    """Per target the window, and per model or baseline every metric with its 95 % interval."""
    out: dict[str, Any] = {"notes": list(notes)}
    if churn is not None:
        out["churn"] = _target(churn)
    if value is not None:
        coverage = {"overall": value.intervals.overall, **value.intervals.by_group}
        out["value"] = _target(value.judged) | {
            "intervals": {name: c._asdict() for name, c in coverage.items() if c.n_customers},
        }
    return out


def metrics(card: Mapping[str, Any], model: str = "tiercast") -> dict[str, float]:
    """One flat number per metric of one model, named `churn_auc`, `value_mae`."""
    flat = {
        f"{target}_{name}": metric["value"]
        for target in ("churn", "value")
        for name, metric in card.get(target, {}).get("models", {}).get(model, {}).items()
    }
    coverage = card.get("value", {}).get("intervals", {}).get("overall")
    return flat | ({"value_coverage": coverage["coverage"]} if coverage and model == "tiercast" else {})


def _target(judged: Judged) -> dict[str, Any]:
    return {
        "as_of": judged.as_of.isoformat(),
        "days": judged.days,
        "n_customers": judged.n_customers,
        "models": _plain(judged.cards),
    }


def _plain(cards: Cards) -> dict[str, dict[str, dict[str, float]]]:
    return {model: {name: _numbers(m) for name, m in card.items()} for model, card in cards.items()}


def _numbers(metric: Metric) -> dict[str, float]:
    return {part: float(number) for part, number in metric._asdict().items()}
