"""Reasons in words for many customers at once.

A text names a handful of features, so each reason is given only those, and everybody's of one reason and language are
written together: for a thousand customers one by one would take longer than the scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tiercast.contract.vectors import Vector
from tiercast.tiers import conditions, texts
from tiercast.tiers.languages import Language


def reasons(
    codes: Sequence[Sequence[str]], columns: Mapping[str, Vector], langs: Sequence[Language], currency: str
) -> list[list[str]]:
    """Per customer the texts of their codes, in their language; `columns` is the feature table in the same order."""
    window = conditions.reference_window(columns)
    asked: dict[tuple[str, Language], list[int]] = {}
    for row, (given, lang) in enumerate(zip(codes, langs, strict=True)):
        for code in given:
            asked.setdefault((code, lang), []).append(row)
    said = {each: _said(texts.phrase(*each, window), columns, rows, currency) for each, rows in asked.items()}
    return [[next(said[code, lang]) for code in given] for given, lang in zip(codes, langs, strict=True)]


def actions(codes: Sequence[str], langs: Sequence[Language]) -> list[str]:
    pairs = list(zip(codes, langs, strict=True))
    said = {pair: texts.action(*pair) for pair in set(pairs)}
    return [said[pair] for pair in pairs]


def _said(phrase: texts.Phrase, columns: Mapping[str, Vector], rows: list[int], currency: str) -> Iterator[str]:
    """The texts of these customers, in their order."""
    numbers = [columns[slot.feature][rows].tolist() for slot in phrase.slots if slot.feature in columns]
    if len(numbers) < len(phrase.slots):
        return iter([phrase.plain] * len(rows))
    return iter(phrase.fill_each(numbers, len(rows), currency))
