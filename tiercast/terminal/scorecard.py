"""The scorecard of a training: models beside baselines, each number with its interval, and the grades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tiercast.terminal import console

TITLES = {"churn": "Churn, judged on {as_of} + {days} days", "value": "Value, judged on {as_of} + {days} days"}
METRICS = {
    "churn": (("auc", "AUC"), ("brier", "Brier"), ("ece", "ECE"), ("top_decile_lift", "lift 10 %")),
    "value": (("ngini", "nGini"), ("mae", "MAE"), ("bias", "bias"), ("captured_top20", "top 20 % hold")),
}
MODELS = {
    "tiercast": "Tiercast",
    "btyd": "the closed form alone",
    "recency": "plain recency",
    "base_rate": "the same for all",
    "halved_window_rule": "“no order in X days”",
    "naive_rate": "past rate, kept up",
    "last_window_spend": "last window's spend",
    "average_spend": "average spend × retention",
    "zero": "nothing for anybody",
}


def print_scorecard(card: Mapping[str, Any]) -> None:
    """What a plain rule does better, if any does; then per target the models and baselines with 95 % intervals."""
    for beaten in card.get("beaten", ()):
        console.print_line(beaten["sentence"])
    for target, metrics in METRICS.items():
        if target in card:
            columns = [("", "left"), *((title, "right") for _, title in metrics)]
            lines = [_line(model, measured, metrics) for model, measured in card[target]["models"].items()]
            title = TITLES[target].format(**card[target])
            console.print_table(f"{title}: {card[target]['n_customers']:,} customers", columns, lines)
    for target in METRICS:
        if "grade" in card.get(target, {}):
            console.print_line(format_grade(target, card[target]["grade"]))
    if "value" in card:
        overall = card["value"]["intervals"]["overall"]
        console.print_line(format_ranges(overall))


def format_grade(target: str, grade: Mapping[str, Any]) -> str:
    """One line: the letter and the reason for it.

    >>> format_grade("churn", {"letter": "B", "rule": "recency", "why": "finds 91.6% of all churners, recency 89.8%"})
    'Grade B for churn: finds 91.6% of all churners, plain recency 89.8%.'
    """
    rule = grade["rule"]
    why = grade["why"].replace(f" {rule} ", f" {MODELS.get(rule, rule)} ") if rule else grade["why"]
    return f"Grade {grade['letter']} for {target}: {why}."


def format_ranges(overall: Mapping[str, float | None]) -> str:
    """One line: how often what came lay outside what the ranges promised, each 10 % when right.

    >>> format_ranges({"above": 0.112, "below": None, "despite": 0.054})
    'Ranges, 10 % each when right: 11.2% ended above the top, 5.4% brought something despite 0 to 0.'
    """
    texts = {"above": "ended above the top", "below": "below the floor", "despite": "brought something despite 0 to 0"}
    shares = [f"{share:.1%} {text}" for name, text in texts.items() if (share := overall.get(name)) is not None]
    return f"Ranges, 10 % each when right: {', '.join(shares)}."


def _line(model: str, measured: Mapping[str, Mapping[str, float]], metrics: Sequence[tuple[str, str]]) -> list[str]:
    return [MODELS.get(model, model), *(_cell(name, measured[name]) for name, _ in metrics)]


def _cell(name: str, metric: Mapping[str, float]) -> str:
    value, low, high = metric["value"], metric["low"], metric["high"]
    if name in ("bias", "captured_top20"):
        return f"{value:+.1%}" if name == "bias" else f"{value:.1%}"
    form = ",.2f" if abs(value) >= 2 else ".3f"
    return f"{value:{form}} [{low:{form}}–{high:{form}}]"
