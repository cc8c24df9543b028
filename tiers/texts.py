"""The texts of tiers, reasons and actions, in English (`en`) and simplified Chinese (`zh`)."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from tiercast.contract import errors
from tiercast.tiers import actions, conditions, reason_texts
from tiercast.tiers.languages import Language

Wording = TypeVar("Wording")
PLACEHOLDER = re.compile(r"\{(?P<feature>[a-z0-9_]+)(?::(?P<form>[a-z]+))?\}")


class TierText(NamedTuple):
    """A short name of the tier, and its meaning."""

    name: str
    meaning: str


TIER_TEXTS: dict[str, dict[Language, TierText]] = {
    "A": {
        "en": TierText("top: keep", "Loyal and of high value."),
        "zh": TierText("核心客户：维系", "忠诚且价值高。"),
    },
    "B": {
        "en": TierText("slipping: save", "Of high value, but likely to leave."),
        "zh": TierText("高价值流失风险：挽留", "价值高，但有流失风险。"),
    },
    "C": {
        "en": TierText("faithful: grow", "Loyal, of lower value."),
        "zh": TierText("忠诚客户：培育", "忠诚，价值尚可提升。"),
    },
    "D": {
        "en": TierText("small: serve cheaply", "Of lower value and likely to leave."),
        "zh": TierText("普通客户：低成本服务", "价值较低，且有流失风险。"),
    },
    "E": {
        "en": TierText("inactive: let rest", "Silent so long that hardly anyone like this comes back."),
        "zh": TierText("沉睡客户：暂不打扰", "沉默过久，很少再回来。"),
    },
    "F": {
        "en": TierText("prospect: win", "Known, but has never ordered."),
        "zh": TierText("潜在客户：争取首单", "已有登记，尚未下单。"),
    },
}


VALUE_TEXTS: dict[str, dict[Language, str]] = {
    "usual": {"en": "{value} (80 %: {low}–{high})", "zh": "{value}（80 % 区间：{low}–{high}）"},
    "mostly_less": {
        "en": "{value} on average (nine in ten bring at most {high})",
        "zh": "平均 {value}（十人中有九人至多 {high}）",
    },
    "often_nothing": {
        "en": "{value} on average (most bring nothing, nine in ten at most {high})",
        "zh": "平均 {value}（多数人不会消费，十人中有九人至多 {high}）",
    },
    "nothing": {"en": "{value} on average (nine in ten bring nothing)", "zh": "平均 {value}（十人中有九人不会消费）"},
}


class Slot(NamedTuple):
    """A placeholder: the feature whose number goes there, and its format."""

    feature: str
    form: str


class Phrase(NamedTuple):
    """The text of a reason: words around slots, and the text without numbers for missing ones."""

    words: tuple[str, ...]
    slots: tuple[Slot, ...]
    plain: str

    def fill(self, numbers: Sequence[float | None], currency: str) -> str:
        """The text with one number per slot; the plain text if a number is missing."""
        return self.fill_each([[math.nan if number is None else number] for number in numbers], 1, currency)[0]

    def fill_each(self, numbers: Sequence[Sequence[float]], customers: int, currency: str) -> list[str]:
        """The texts of many customers: `numbers` has a column per slot."""
        formatted = (_formatted(column, slot.form, currency) for column, slot in zip(numbers, self.slots, strict=True))
        ends = ([words] * customers for words in self.words[1:])
        parts = itertools.chain.from_iterable(zip(formatted, ends, strict=True))
        texts = list(map("".join, zip([self.words[0]] * customers, *parts, strict=True)))
        for column in numbers:
            if not all(map(math.isfinite, column)):
                texts = [text if math.isfinite(n) else self.plain for text, n in zip(texts, column, strict=True)]
        return texts


def render(code: str, features: Mapping[str, float], lang: Language = "en", currency: str = "") -> str:
    """The text of a reason for one customer; the plain text if a number is missing.

    >>> render("silent_5x_usual_gap", {"silence_days": 74.0, "gap_mean_days": 12.0})
    'silent for 74 days; usual gap 12'
    >>> render("silent_5x_usual_gap", {}, "zh")
    '未下单的时间已达平时间隔的 5 倍以上'
    """
    text = phrase(code, lang, conditions.reference_window(features))
    return text.fill([features.get(slot.feature) for slot in text.slots], currency)


@functools.lru_cache(maxsize=512)
def phrase(code: str, lang: Language, window: int) -> Phrase:
    """The text of a reason, for a reference window in days. Raises `BadInput` for an unknown code.

    >>> phrase("silent_5x_usual_gap", "en", 90).slots
    (Slot(feature='silence_days', form='day'), Slot(feature='gap_mean_days', form=''))
    """
    if code not in reason_texts.REASON_TEXTS:
        raise _unknown("reason", code, tuple(reason_texts.REASON_TEXTS))
    wording = choose(reason_texts.REASON_TEXTS[code], lang)
    full = conditions.in_window(wording.full, window)
    placeholders = list(PLACEHOLDER.finditer(full))
    edges = [0, *(edge for match in placeholders for edge in match.span()), len(full)]
    words = tuple(full[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))
    return Phrase(words, tuple(Slot(match["feature"], match["form"] or "") for match in placeholders), wording.plain)


def tier(letter: str, lang: Language = "en") -> TierText:
    """The name and meaning of a tier.

    >>> tier("B").name
    'slipping: save'
    """
    if letter not in TIER_TEXTS:
        raise _unknown("tier", letter, tuple(TIER_TEXTS))
    return choose(TIER_TEXTS[letter], lang)


def action(code: str, lang: Language = "en") -> str:
    """The text of an action: one sentence.

    >>> action("personal_call")
    'Call in person within the week.'
    """
    if code not in actions.ACTIONS:
        raise _unknown("action", code, tuple(actions.ACTIONS))
    return choose(actions.ACTIONS[code], lang)


def value(value: float, low: float, high: float, p_order: float | None, lang: Language = "en") -> str:
    """A value with its range, in words that do not contradict it: a mean of many nothings lies above most of them.

    `p_order` is None for scores of a format that did not have it.

    >>> value(646.0, 0.0, 1183.0, 0.6), value(85.74, 0.0, 76.27, 0.2)
    ('646 (80 %: 0.00–1,183)', '85.74 on average (most bring nothing, nine in ten at most 76.27)')
    >>> value(85.74, 0.0, 76.27, 0.6), value(3.0, 0.0, 0.0, 0.05)
    ('85.74 on average (nine in ten bring at most 76.27)', '3.00 on average (nine in ten bring nothing)')
    """
    above = "nothing" if high <= 0 else "often_nothing" if p_order is not None and p_order < 0.5 else "mostly_less"
    wording = VALUE_TEXTS["usual" if value <= high else above]
    return choose(wording, lang).format(value=amount(value), low=amount(low), high=amount(high))


def value_of(row: Mapping[str, Any], lang: Language = "en") -> str | None:
    """`value` for a row of scores; None for prospects."""
    if row["value"] is None:
        return None
    return value(row["value"], row["value_low"], row["value_high"], row["p_order"], lang)


def amount(number: float) -> str:
    """Money without a currency: whole units from 100 on, two decimals below.

    >>> amount(1234.5), amount(3.456)
    ('1,234', '3.46')
    """
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:,.2f}"


def _formatted(numbers: Sequence[float], form: str, currency: str) -> list[str]:
    if form == "money":
        ending = f" {currency}".rstrip()
        return [f"{number:,.2f}{ending}" for number in numbers]
    if form in ("fewer", "more"):
        return [f"{abs(number):,.0f}" for number in numbers]
    counts = [f"{number:,.0f}" for number in numbers]
    return [f"{count} {form}{'' if count == '1' else 's'}" for count in counts] if form else counts


def choose(wordings: Mapping[Language, Wording], lang: Language) -> Wording:
    """The wording in a language. Raises `BadInput` for an unknown one."""
    if lang not in wordings:
        raise _unknown("language", lang, tuple(wordings))
    return wordings[lang]


def _unknown(what: str, code: str, allowed: tuple[str, ...]) -> errors.BadInput:
    return errors.BadInput(f"there is no such {what}.", first=repr(code), hint=f"one of: {', '.join(allowed)}")
