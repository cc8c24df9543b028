"""Two days' scores compared: the migration matrix, the largest falls, one line for a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tiercast.terminal import console, formatting
from tiercast.tiers import grid, moves, texts

if TYPE_CHECKING:
    from tiercast.serving.batch.tier_moves import TierMoves
    from tiercast.tiers.languages import Language

TITLE: Mapping[Language, str] = {
    "en": "Customers by tier on {old} (rows) and on {new} (columns)",
    "zh": "各等级客户数：行为 {old}，列为 {new}",
}
OUTSIDE: Mapping[Language, tuple[str, str]] = {"en": ("new", "gone"), "zh": ("新增", "不再出现")}
FALLS: Mapping[Language, str] = {"en": "The largest falls by value lost", "zh": "价值损失最大的降级客户"}
HEADINGS: Mapping[Language, tuple[str, ...]] = {
    "en": ("customer", "tier", "lost", "value", "churn risk", "why, now"),
    "zh": ("客户", "等级", "失去", "预期价值", "流失风险", "现在的原因"),
}
LOST: Mapping[Language, Mapping[str, str]] = {
    "en": {"both": "loyalty and value"},
    "zh": {
        "loyalty": "忠诚度",
        "value": "价值",
        "both": "忠诚度和价值",
        "activity": "活跃",
        "orders": "订单",
    },
}
SUMMARY: Mapping[Language, str] = {
    "en": "{moved:,} of {all:,} customers moved from {old} to {new}: "
    "{down:,} down, {up:,} up, {in:,} new, {out:,} gone; value in A+B {before} → {after}{currency}.",
    "zh": "{old} 至 {new}，{all:,} 位客户中 {moved:,} 位等级有变动："
    "下降 {down:,}，上升 {up:,}，新增 {in:,}，不再出现 {out:,}；A+B 预期价值 {before} → {after}{currency}。",
}
OTHER_MODEL: Mapping[Language, str] = {
    "en": "The two files come from different models ({old}; {new}): some moved because the cuts or the model did.",
    "zh": "两份评分来自不同的模型（{old}；{new}）：部分变动源于分界线或模型的变化。",
}


def print_moves(moved: TierMoves, lang: Language) -> None:
    """The matrix, the falls, a note on different models, and the line for a ticket."""
    _print_matrix(moved, lang)
    if moved.falls:
        columns = [(name, "right" if at in (3, 4) else "left") for at, name in enumerate(HEADINGS[lang])]
        console.print_table(FALLS[lang], columns, [_fall(row, lang) for row in moved.falls])
    if moved.old.model != moved.new.model:
        console.print_line(f"* {OTHER_MODEL[lang].format(old=moved.old.model, new=moved.new.model)}")
    console.print_line(summarize(moved, lang))


def summarize(moved: TierMoves, lang: Language) -> str:
    """One sentence for a ticket."""
    ways = moves.counts(moved.matrix)
    before, after = moves.value_in(moved.matrix, grid.HIGH_VALUE)
    return SUMMARY[lang].format(
        **ways,
        moved=sum(n for way, n in ways.items() if way != "stay"),
        all=sum(ways.values()),
        old=moved.old.as_of,
        new=moved.new.as_of,
        before=formatting.money(before),
        after=formatting.money(after),
        currency=f" {moved.new.currency}" if moved.new.currency else "",
    )


def as_dict(moved: TierMoves, lang: Language) -> dict[str, Any]:
    """Everything for a machine: one entry per pair of tiers that occurs; null stands for "not among these scores"."""
    files = {
        name: {"path": each.path, "as_of": each.as_of, "model": each.model}
        for name, each in (("old", moved.old), ("new", moved.new))
    }
    falls = [row | {"reason_texts": _why(row, lang)} for row in moved.falls]
    return {
        **files,
        "currency": moved.new.currency,
        "summary": summarize(moved, lang),
        "counts": moves.counts(moved.matrix),
        "matrix": [pair._asdict() for pair in moves.pairs(moved.matrix)],
        "falls": falls,
    }


def _print_matrix(moved: TierMoves, lang: Language) -> None:
    new, gone = OUTSIDE[lang]
    columns = [("", "left"), *((tier or gone, "right") for tier in moves.PLACES)]
    rows = [
        [tier or new, *(f"{n:,}" if n else "·" for n in counted)]
        for tier, counted in zip(moves.PLACES, moved.matrix.customers.tolist(), strict=True)
    ]
    console.print_line(TITLE[lang].format(old=moved.old.as_of, new=moved.new.as_of))
    console.print_table("", columns, rows)


def _fall(row: Mapping[str, Any], lang: Language) -> list[str]:
    return [
        row["customer_id"],
        f"{row['old_tier']} → {row['new_tier']}",
        LOST[lang].get(row["lost"], row["lost"]),
        f"{formatting.money(row['old_value'])} → {formatting.money(row['new_value'])}",
        f"{_percent(row['old_p_churn'])} → {_percent(row['new_p_churn'])}",
        "; ".join(_why(row, lang)),
    ]


def _why(row: Mapping[str, Any], lang: Language) -> list[str]:
    return [texts.render(code, {}, lang) for code in row["reasons"]]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
