"""The texts of reason and action codes, for many customers at once.

A text names only a few features. All customers with one reason and language are rendered together: one by one, a
thousand customers would take longer than their scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tiercast.contract.vectors import Vector
from tiercast.tiers import conditions, texts
from tiercast.tiers.languages import Language


def reason_texts(
    codes: Sequence[Sequence[str]], frame: Mapping[str, Vector], langs: Sequence[Language], currency: str
) -> list[list[str]]:
    """Per customer the texts of their reason codes, in their language; `frame` is the feature table in that order."""
    window = conditions.reference_window(frame)
    rows_of: dict[tuple[str, Language], list[int]] = {}
    for row, (given, lang) in enumerate(zip(codes, langs, strict=True)):
        for code in given:
            rows_of.setdefault((code, lang), []).append(row)
    rendered = {key: _render(texts.phrase(*key, window), frame, rows, currency) for key, rows in rows_of.items()}
    return [[next(rendered[code, lang]) for code in given] for given, lang in zip(codes, langs, strict=True)]


def value_texts(scored: Mapping[str, Sequence[Any]], langs: Sequence[Language]) -> list[str | None]:
    """Per customer the text of their value and its range; None for prospects."""
    numbers = (scored[name] for name in ("value", "value_low", "value_high", "p_order"))
    rows = zip(*numbers, langs, strict=True)
    return [None if row[0] is None else texts.value(*row) for row in rows]


def action_texts(codes: Sequence[str], langs: Sequence[Language]) -> list[str]:
    """Per customer the text of their action code, in their language."""
    pairs = list(zip(codes, langs, strict=True))
    rendered = {pair: texts.action(*pair) for pair in set(pairs)}
    return [rendered[pair] for pair in pairs]


def _render(phrase: texts.Phrase, frame: Mapping[str, Vector], rows: list[int], currency: str) -> Iterator[str]:
    """The texts of these customers, in their order."""
    numbers = [frame[slot.feature][rows].tolist() for slot in phrase.slots if slot.feature in frame]
    if len(numbers) < len(phrase.slots):
        return iter([phrase.plain] * len(rows))
    return iter(phrase.fill_each(numbers, len(rows), currency))
