"""A scorecard as MLflow's flat metrics.

churn_auc, churn_auc_low, churn_auc_high   ours, with its 95 % interval
baseline/btyd/churn_auc                    the same for every baseline
value_above, value_above_low, value_above/A  share above the top of their range; below and despite likewise
churn_gain, churn_gain_low, ...            what the grade is given for: found more than by the strongest rule
seconds/final models, seconds/total        how long each step of the training took
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tiercast.training.comparison.side_by_side import SECONDS
from tiercast.training.evaluation import ranges
from tiercast.training.judge import holdout

TARGETS = ("churn", "value")


def flatten(card: Mapping[str, Any], targets: tuple[str, ...] = TARGETS) -> dict[str, float]:
    """Every finite number of the named targets; a metric that does not exist (Spearman of a constant) is left out."""
    found: dict[str, float] = {}
    for target in targets:
        for model, metrics in card.get(target, {}).get("models", {}).items():
            found |= _of_model(f"{prefix(model)}{target}_", metrics)
        grade = card.get(target, {}).get("grade")
        found |= _of_model(f"{target}_", {"gain": grade["gain"]}) if grade else {}
    found |= _ranges(card) if "value" in targets else {}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def seconds(took: Mapping[str, float]) -> dict[str, float]:
    """
    >>> seconds({"features": 1.5, "final models": 2.5})
    {'seconds/features': 1.5, 'seconds/final models': 2.5, 'seconds/total': 4.0}
    """
    return {f"{SECONDS}{step}": number for step, number in (*took.items(), ("total", sum(took.values())))}


def prefix(model: str) -> str:
    """
    >>> prefix("tiercast"), prefix("recency")
    ('', 'baseline/recency/')
    """
    return "" if model == holdout.MODEL else f"baseline/{model}/"


def _of_model(start: str, metrics: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    out: dict[str, float] = {}
    for name, metric in metrics.items():
        out |= {f"{start}{name}{end}": metric[part] for part, end in _PARTS}
    return out


_PARTS = (("value", ""), ("low", "_low"), ("high", "_high"))


def _ranges(card: Mapping[str, Any]) -> dict[str, float]:
    """The three shares with their intervals, and each tier's shares."""
    groups = card.get("value", {}).get("intervals", {})
    found: dict[str, float] = {}
    for group, shares in groups.items():
        end = "" if group == "overall" else f"/{group}"
        found |= {f"value_{name}{end}": shares[name] for name in ranges.SHARES if shares.get(name) is not None}
    overall = groups.get("overall", {})
    for name in ranges.SHARES:
        metric = ranges.share_with_interval(overall.get(name), overall.get(f"n_{name}", 0))
        found |= {f"value_{name}_low": metric.low, f"value_{name}_high": metric.high}
    return found
