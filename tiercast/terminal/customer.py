"""One explained customer in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tiercast.terminal import console

if TYPE_CHECKING:
    from tiercast.tiers.languages import Language

NUMBERS: Mapping[Language, str] = {
    "en": "  value {value}, churn risk {p_churn:.0%}, sure of the tier {sure:.0%}",
    "zh": "  预期价值 {value}，流失风险 {p_churn:.0%}，等级把握 {sure:.0%}",
}


def print_customer(row: Mapping[str, Any], lang: Language = "en") -> None:
    """Tier, numbers, reasons, what would change the letter, and action: a row of `explanations.explain`."""
    console.print_line(f"{row['customer_id']}: {row['tier']} {row['tier_name']}")
    if row["p_churn"] is not None:
        numbers = {"value": row["value_text"], "p_churn": row["p_churn"], "sure": row["tier_confidence"]}
        console.print_line(NUMBERS[lang].format(**numbers))
    for text in row["reason_texts"]:
        console.print_line(f"  · {text}")
    if row["letter_change_text"]:
        console.print_line(f"  ⇄ {row['letter_change_text']}")
    console.print_line(f"  → {row['action_text']}")
