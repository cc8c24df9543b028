"""One explained customer in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tiercast.terminal import console, formatting

if TYPE_CHECKING:
    from tiercast.tiers.languages import Language

NUMBERS: Mapping[Language, str] = {
    "en": "  value {value} ({range}), churn risk {p_churn:.0%}, sure of the tier {sure:.0%}",
    "zh": "  预期价值 {value}（{range}），流失风险 {p_churn:.0%}，等级把握 {sure:.0%}",
}
USUAL: Mapping[Language, str] = {
    "en": "80 %: {value_low}–{value_high}",
    "zh": "80 % 区间：{value_low}–{value_high}",
}
MOSTLY_LESS: Mapping[Language, str] = {
    "en": "a mean: nine in ten bring at most {value_high}",
    "zh": "平均值：十人中有九人至多 {value_high}",
}
MOSTLY_NOTHING: Mapping[Language, str] = {
    "en": "a mean: at least nine in ten bring nothing",
    "zh": "平均值：十人中至少九人不会消费",
}


def format_range(value: float, low: float, high: float, lang: Language = "en") -> str:
    """The range in words that do not contradict the value: a mean of many nothings lies above most of them.

    >>> format_range(646.0, 0.0, 1183.0), format_range(85.74, 0.0, 76.27), format_range(3.0, 0.0, 0.0)
    ('80 %: 0.00–1,183', 'a mean: nine in ten bring at most 76.27', 'a mean: at least nine in ten bring nothing')
    """
    texts = USUAL if value <= high else MOSTLY_LESS if high > 0 else MOSTLY_NOTHING
    return texts[lang].format(value_low=formatting.money(low), value_high=formatting.money(high))


def print_customer(row: Mapping[str, Any], lang: Language = "en") -> None:
    """Tier, numbers, reasons and action of one row of `serving.explanations.explain`."""
    console.print_line(f"{row['customer_id']}: {row['tier']} {row['tier_name']}")
    if row["p_churn"] is not None:
        told = NUMBERS[lang].format(
            value=formatting.money(row["value"]),
            range=format_range(row["value"], row["value_low"], row["value_high"], lang),
            p_churn=row["p_churn"],
            sure=row["tier_confidence"],
        )
        console.print_line(told)
    for text in row["reason_texts"]:
        console.print_line(f"  · {text}")
    console.print_line(f"  → {row['action_text']}")
