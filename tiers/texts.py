"""Codes put into words for a retention team, in English (`en`) and simplified Chinese (`zh`)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from contract import errors
from tiers import actions, facts, reason_texts
from tiers.languages import Language

Written = TypeVar("Written")
PLACEHOLDER = re.compile(r"\{(?P<feature>[a-z0-9_]+)(?::(?P<form>[a-z]+))?\}")


class TierText(NamedTuple):
    """A short name, and what the tier means and asks for."""

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


def render(code: str, facts_of_one_customer: Mapping[str, float], lang: Language = "en", currency: str = "") -> str:
    """What a reason says of this customer; where a number is missing, the wording that needs none.

    >>> render("silent_5x_usual_gap", {"silence_days": 74.0, "gap_mean_days": 12.0})
    'silent for 74 days; usual gap 12'
    >>> render("silent_5x_usual_gap", {}, "zh")
    '未下单的时间已达平时间隔的 5 倍以上'
    """
    if code not in reason_texts.REASON_TEXTS:
        raise _unknown("reason", code, tuple(reason_texts.REASON_TEXTS))
    wording = _in_language(reason_texts.REASON_TEXTS[code], lang)
    full = facts.in_window(wording.full, facts.reference_window(facts_of_one_customer))
    found = {match["feature"]: facts_of_one_customer.get(match["feature"]) for match in PLACEHOLDER.finditer(full)}
    known = {name: number for name, number in found.items() if number is not None and math.isfinite(number)}
    if len(known) < len(found):
        return wording.plain
    return PLACEHOLDER.sub(lambda match: _written(known[match["feature"]], match["form"] or "", currency), full)


def tier(letter: str, lang: Language = "en") -> TierText:
    """The name and meaning of a tier.

    >>> tier("B").name
    'slipping: save'
    """
    if letter not in TIER_TEXTS:
        raise _unknown("tier", letter, tuple(TIER_TEXTS))
    return _in_language(TIER_TEXTS[letter], lang)


def action(code: str, lang: Language = "en") -> str:
    """What to do, as a sentence.

    >>> action("personal_call")
    'Call in person within the week.'
    """
    if code not in actions.ACTIONS:
        raise _unknown("action", code, tuple(actions.ACTIONS))
    return _in_language(actions.ACTIONS[code], lang)


def _written(number: float, form: str, currency: str) -> str:
    if form == "money":
        return f"{number:,.2f} {currency}".rstrip()
    if form in ("fewer", "more"):
        return f"{abs(number):,.0f}"
    count = f"{number:,.0f}"
    return f"{count} {form}{'' if count == '1' else 's'}" if form else count


def _in_language(wordings: Mapping[Language, Written], lang: Language) -> Written:
    if lang not in wordings:
        raise _unknown("language", lang, tuple(wordings))
    return wordings[lang]


def _unknown(what: str, code: str, allowed: tuple[str, ...]) -> errors.BadInput:
    return errors.BadInput(f"there is no such {what}.", first=repr(code), hint=f"one of: {', '.join(allowed)}")
