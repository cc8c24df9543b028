"""What would change a customer's letter: an order in time, or silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from tiercast.tiers import grid, texts
from tiercast.tiers.languages import Language

By = Literal["order", "silence"]


class LetterChange(NamedTuple):
    """An order within `days` brings `tier`, or `days` without one do. If neither does: None, and the days tried."""

    by: By | None
    days: int
    tier: str | None


TEXTS: dict[By | None, dict[Language, str]] = {
    "order": {
        "en": "an order like the last one, within {days}, would bring {tier} ({name})",
        "zh": "{days}内再下一单（与上一单相同），将升为 {tier}（{name}）",
    },
    "silence": {
        "en": "without an order for {days}, the letter becomes {tier} ({name})",
        "zh": "若 {days}不下单，将变为 {tier}（{name}）",
    },
    None: {
        "en": "neither an order like the last one nor silence changes the letter within {days}",
        "zh": "{days}内，无论再下一单（与上一单相同）还是不下单，等级都不变",
    },
}


def find(silent: Sequence[str], ordered: Sequence[str]) -> LetterChange:
    """The change from letters to come.

    `silent` are the letters today and after 1, 2, ... days without an order, `ordered` those after an order on day 1,
    on day 2, ... A better letter by an order comes first, and holds for every day until `days`.

    >>> find(["B", "B", "D"], ["A", "B"])
    LetterChange(by='order', days=1, tier='A')
    >>> find(["A", "A", "B"], ["A", "A"])
    LetterChange(by='silence', days=2, tier='B')
    >>> find(["E", "E", "E"], ["E", "E"])
    LetterChange(by=None, days=2, tier=None)
    """
    today, best = silent[0], ordered[0]
    if grid.TIERS.index(best) < grid.TIERS.index(today):
        days = next((day for day, letter in enumerate(ordered) if letter != best), len(ordered))
        return LetterChange("order", days, best)
    other = next(((day, letter) for day, letter in enumerate(silent) if letter != today), None)
    return LetterChange("silence", *other) if other else LetterChange(None, len(ordered), None)


def render(change: LetterChange, lang: Language = "en") -> str:
    """
    >>> render(LetterChange("order", 12, "A"))
    'an order like the last one, within 12 days, would bring A (top: keep)'
    """
    name = texts.tier(change.tier, lang).name if change.tier else ""
    days = f"{change.days} day{'' if change.days == 1 else 's'}" if lang == "en" else f"{change.days} 天"
    return texts.choose(TEXTS[change.by], lang).format(days=days, tier=change.tier, name=name)


def as_fields(change: LetterChange | None, lang: Language) -> dict[str, Any]:
    """The two fields of an explanation; None for customers who never ordered."""
    return {
        "letter_change": change and change._asdict(),
        "letter_change_text": change and render(change, lang),
    }
