"""One explained customer in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tiercast.terminal import console, formatting

if TYPE_CHECKING:
    from tiercast.tiers.languages import Language

NUMBERS: Mapping[Language, str] = {
    "en": "  value {value} (80 %: {value_low}–{value_high}), churn risk {p_churn:.0%}, sure of the tier {sure:.0%}",
    "zh": "  预期价值 {value}（80 % 区间：{value_low}–{value_high}），流失风险 {p_churn:.0%}，等级把握 {sure:.0%}",
}


def print_customer(row: Mapping[str, Any], lang: Language = "en") -> None:
    """Tier, numbers, reasons and action of one row of `serving.explanations.explain`."""
    console.print_line(f"{row['customer_id']}: {row['tier']} {row['tier_name']}")
    if row["p_churn"] is not None:
        money = {name: formatting.money(row[name]) for name in ("value", "value_low", "value_high")}
        console.print_line(NUMBERS[lang].format(**money, p_churn=row["p_churn"], sure=row["tier_confidence"]))
    for text in row["reason_texts"]:
        console.print_line(f"  · {text}")
    console.print_line(f"  → {row['action_text']}")
