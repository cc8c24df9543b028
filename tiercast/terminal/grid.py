"""The tier grid as a table: one line per tier, A to F."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tiercast.terminal import console, formatting

if TYPE_CHECKING:
    from tiercast.tiers.grid import TierSummary
    from tiercast.tiers.languages import Language

TITLE: Mapping[Language, str] = {"en": "Loyalty × value", "zh": "忠诚度 × 价值"}
HEADINGS: Mapping[Language, tuple[str, ...]] = {
    "en": ("tier", "customers", "share", "expected value", "each", "churn risk", "value at risk"),
    "zh": ("等级", "客户数", "占比", "预期价值", "人均", "流失风险", "风险价值"),
}
DISAGREEMENT: Mapping[Language, str] = {
    "en": "The trained models and the closed form differ clearly on:",
    "zh": "训练模型与闭式模型明显不一致的客户：",
}


def print_grid(rows: Sequence[TierSummary], currency: str = "", lang: Language = "en") -> None:
    """Customers, value and risk per tier."""
    from tiercast.tiers import texts

    tier, *names = HEADINGS[lang]
    columns = [(tier, "left"), ("", "left"), *((name, "right") for name in names)]
    lines = [[row.tier, texts.tier(row.tier, lang).name, *_cells(row)] for row in rows]
    console.print_table(f"{TITLE[lang]}{f' ({currency})' if currency else ''}", columns, lines)


def _cells(row: TierSummary) -> list[str]:
    money, percent = formatting.money, formatting.percent
    return [
        f"{row.customers:,}",
        percent(row.share),
        money(row.value_total),
        money(row.value_mean),
        percent(row.p_churn_mean),
        money(row.value_at_risk),
    ]


def print_disagreement(shares: Mapping[str, float], lang: Language = "en") -> None:
    """Per tier, the share of customers on which the trained models and the closed form differ."""
    listed = ", ".join(f"{tier} {formatting.percent(share)}" for tier, share in shares.items())
    console.print_line(f"{DISAGREEMENT[lang]} {listed}")
