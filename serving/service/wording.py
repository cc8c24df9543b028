"""Reasons in words for many customers at once.

A text names a handful of features, so each reason is given only those: looking through the whole feature table for
every customer would take longer than the scores.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence

from models.vectors import Vector
from tiers import facts, reason_texts, texts
from tiers.languages import Language


@functools.lru_cache(maxsize=8)
def needed(features: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """Per reason code the features its text needs, of a feature table with these columns."""
    days = facts.reference_window(features)
    window = {f"n_orders_{days}d", f"orders_trend_{days}d"}  # from these `render` reads which window is meant
    return {code: _needed(code, days, window, features) for code in reason_texts.REASON_TEXTS}


def reasons(
    codes: Sequence[Sequence[str]], columns: Mapping[str, Vector], lang: Language, currency: str
) -> list[list[str]]:
    """Per customer the texts of their codes; `columns` is the feature table in the same order."""
    asked = needed(tuple(columns))
    numbers = {name: column.tolist() for name, column in columns.items()}
    return [
        [texts.render(code, {name: numbers[name][row] for name in asked[code]}, lang, currency) for code in given]
        for row, given in enumerate(codes)
    ]


def actions(codes: Iterable[str], lang: Language) -> list[str]:
    return [texts.action(code, lang) for code in codes]


def _needed(code: str, days: int, window: set[str], features: Sequence[str]) -> tuple[str, ...]:
    wordings = reason_texts.REASON_TEXTS[code].values()
    found = {
        m["feature"] for wording in wordings for m in texts.PLACEHOLDER.finditer(facts.in_window(wording.full, days))
    }
    return tuple(sorted((found | window) & set(features)))
