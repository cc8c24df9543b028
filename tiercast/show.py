"""What a person sees: the grid, the report card, explained customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tiercast import say

if TYPE_CHECKING:
    from tiercast.tiers.grid import TierRow
    from tiercast.tiers.languages import Language
    from tiercast.training.check.readiness import Readiness

TITLES = {"churn": "Churn, judged on {as_of} + {days} days", "value": "Value, judged on {as_of} + {days} days"}
SHOWN = {
    "churn": (("auc", "AUC"), ("brier", "Brier"), ("ece", "ECE"), ("top_decile_lift", "lift 10 %")),
    "value": (("ngini", "nGini"), ("mae", "MAE"), ("bias", "bias"), ("captured_top20", "top 20 % hold")),
}
TITLE: Mapping[Language, str] = {"en": "Loyalty × value", "zh": "忠诚度 × 价值"}
HEADINGS: Mapping[Language, tuple[str, ...]] = {
    "en": ("tier", "customers", "share", "expected value", "each", "churn risk", "value at risk"),
    "zh": ("等级", "客户数", "占比", "预期价值", "人均", "流失风险", "风险价值"),
}
NUMBERS: Mapping[Language, str] = {
    "en": "  value {value} (80 %: {value_low}–{value_high}), churn risk {p_churn:.0%}, sure of the tier {sure:.0%}",
    "zh": "  预期价值 {value}（80 % 区间：{value_low}–{value_high}），流失风险 {p_churn:.0%}，等级把握 {sure:.0%}",
}
DIFFER: Mapping[Language, str] = {
    "en": "The trained models and the closed form differ clearly on:",
    "zh": "训练模型与闭式模型明显不一致的客户：",
}
NAMES = {
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


def readiness(found: Readiness) -> None:
    """What the data are enough for, capability by capability, then the notes."""
    rows = [[each.name, each.verdict, each.sentence] for each in found.capabilities()[:-1]]
    rows.append(["tiers", found.tiers.verdict, "as churn and value are"])
    say.table("Is this enough?", [("capability", "left"), ("verdict", "left"), ("measured", "left")], rows)
    for text in found.notes:
        say.line(f"* {text}")


def grid(rows: Sequence[TierRow], currency: str = "", lang: Language = "en") -> None:
    """One line per tier A to F."""
    from tiercast.tiers import texts

    tier, *names = HEADINGS[lang]
    columns = [(tier, "left"), ("", "left"), *((name, "right") for name in names)]
    lines = [[row.tier, texts.tier(row.tier, lang).name, *_numbers(row)] for row in rows]
    say.table(f"{TITLE[lang]}{f' ({currency})' if currency else ''}", columns, lines)


def _numbers(row: TierRow) -> list[str]:
    money, percent = say.money, say.percent
    return [
        f"{row.customers:,}",
        percent(row.share),
        money(row.value_total),
        money(row.value_mean),
        percent(row.p_churn_mean),
        money(row.value_at_risk),
    ]


def disagreement(shares: Mapping[str, float], lang: Language = "en") -> None:
    """On how many of each tier the trained models and the closed form differ."""
    say.line(f"{DIFFER[lang]} {', '.join(f'{tier} {say.percent(share)}' for tier, share in shares.items())}")


def scorecard(card: Mapping[str, Any]) -> None:
    """Per target, the models and baselines with the 95 % interval of each number."""
    for target, shown in SHOWN.items():
        if target in card:
            columns = [("", "left"), *((title, "right") for _, title in shown)]
            lines = [_line(model, metrics, shown) for model, metrics in card[target]["models"].items()]
            title = TITLES[target].format(**card[target])
            say.table(f"{title}: {card[target]['n_customers']:,} customers", columns, lines)
    for target in SHOWN:
        if "grade" in card.get(target, {}):
            say.line(grade(target, card[target]["grade"]))
    if "value" in card:
        overall = card["value"]["intervals"]["overall"]
        say.line(f"80 % intervals held {overall['coverage']:.1%} of {overall['n_customers']:,} outcomes.")


def grade(target: str, found: Mapping[str, Any]) -> str:
    """One line: the letter, and what it was given for.

    >>> grade("churn", {"letter": "B", "rule": "recency", "why": "finds 91.6% of all churners, recency 89.8%"})
    'Grade B for churn: finds 91.6% of all churners, plain recency 89.8%.'
    """
    rule = found["rule"]
    why = found["why"].replace(f" {rule} ", f" {NAMES.get(rule, rule)} ") if rule else found["why"]
    return f"Grade {found['letter']} for {target}: {why}."


def _line(model: str, metrics: Mapping[str, Mapping[str, float]], shown: Sequence[tuple[str, str]]) -> list[str]:
    return [NAMES.get(model, model), *(_cell(name, metrics[name]) for name, _ in shown)]


def _cell(name: str, metric: Mapping[str, float]) -> str:
    value, low, high = metric["value"], metric["low"], metric["high"]
    if name in ("bias", "captured_top20"):
        return f"{value:+.1%}" if name == "bias" else f"{value:.1%}"
    form = ",.2f" if abs(value) >= 2 else ".3f"
    return f"{value:{form}} [{low:{form}}–{high:{form}}]"


def customer(explained: Mapping[str, Any], lang: Language = "en") -> None:
    """One customer: tier, numbers, reasons, action, in words."""
    e = explained
    say.line(f"{e['customer_id']}: {e['tier']} {e['tier_name']}")
    if e["p_churn"] is not None:
        money = {name: say.money(e[name]) for name in ("value", "value_low", "value_high")}
        say.line(NUMBERS[lang].format(**money, p_churn=e["p_churn"], sure=e["tier_confidence"]))
    for text in e["reason_texts"]:
        say.line(f"  · {text}")
    say.line(f"  → {e['action_text']}")
