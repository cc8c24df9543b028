"""Reasons in words for many customers at once.

A text names a handful of features, so each reason is given only those, and a code is looked up once per request, not
once per customer: for a thousand customers looking up alone would take longer than the scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from models.vectors import Vector
from tiers import facts, texts
from tiers.languages import Language

Told = Callable[[int], str]


def reasons(
    codes: Sequence[Sequence[str]], columns: Mapping[str, Vector], langs: Sequence[Language], currency: str
) -> list[list[str]]:
    """Per customer the texts of their codes, in their language; `columns` is the feature table in the same order."""
    window = facts.reference_window(columns)
    asked = {(code, lang) for given, lang in zip(codes, langs, strict=True) for code in given}
    said = {each: _of(texts.phrase(*each, window), columns, currency) for each in asked}
    return [
        [said[code, lang](row) for code in given] for row, (given, lang) in enumerate(zip(codes, langs, strict=True))
    ]


def actions(codes: Iterable[str], langs: Iterable[Language]) -> list[str]:
    return [texts.action(code, lang) for code, lang in zip(codes, langs, strict=True)]


def _of(phrase: texts.Phrase, columns: Mapping[str, Vector], currency: str) -> Told:
    """A function from the customer's row to the text."""
    numbers = [columns[slot.feature].tolist() for slot in phrase.slots if slot.feature in columns]
    if len(numbers) < len(phrase.slots):
        return lambda _: phrase.plain
    return lambda row: phrase.fill([column[row] for column in numbers], currency)
