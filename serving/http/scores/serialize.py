"""From the store's rows to responses: codes with their texts, and the generation.

A stored score has codes and no feature values, so its texts are those without numbers, as in `tiercast moves`.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
from collections.abc import Sequence
from typing import Any

from tiercast.serving.store.generations import Generation
from tiercast.serving.store.queries import HistoryStep, StoredGrid
from tiercast.serving.store.records import Record
from tiercast.tiers import actions, moves, reason_texts, texts
from tiercast.tiers.languages import Language

Json = dict[str, Any]


def stamp(generation: Generation) -> Json:
    """`responses.Stamp`."""
    age = dt.datetime.now(dt.UTC) - generation.published_at
    return {
        "as_of": generation.as_of,
        "model": generation.model,
        "currency": generation.currency,
        "generation": generation.id,
        "published_at": generation.published_at,
        "age_seconds": max(0, int(age.total_seconds())),
    }


@functools.cache
def reason(code: str, lang: Language) -> str:
    """A reason without numbers; a code that this version does not know stays a code.

    >>> reason("silent_5x_usual_gap", "en"), reason("of_a_later_version", "en")
    ('silent for 5 usual gaps or more', 'of_a_later_version')
    """
    return texts.render(code, {}, lang) if code in reason_texts.REASON_TEXTS else code


@functools.cache
def action(code: str, lang: Language) -> str:
    return texts.action(code, lang) if code in actions.ACTIONS else code


def score(record: Record, lang: Language) -> Json:
    """`responses.StoredScore`."""
    stayed = record["move"] is None and record["previous_tier"] is not None  # the store keeps moves only
    words = {
        "move": "stay" if stayed else record["move"],
        "reason_texts": [reason(code, lang) for code in record["reasons"]],
        "action_text": action(record["action"], lang),
        "value_text": texts.value_of(record, lang),
    }
    return {**record, **words}


def steps(history: Sequence[HistoryStep], lang: Language) -> list[Json]:
    """`responses.Step`, the newest first as they come."""
    return [_step(step, older, lang) for step, older in itertools.zip_longest(history, history[1:])]


def grid(stored: StoredGrid) -> Json:
    """`responses.GridResponse` without its stamp."""
    generation = stored.generation
    return {
        "churn_days": generation.churn_days,
        "value_days": generation.value_days,
        "customers": generation.n_customers,
        "borderline": stored.n_borderline,
        "value_total": generation.value_total,
        "tiers": [{**row._asdict(), "disagreement": stored.disagreement.get(row.tier)} for row in stored.tiers],
        "moves": None if stored.moves is None else _moves(stored.moves, generation),
    }


def generation(one: Generation) -> Json:
    """`responses.GenerationResponse`."""
    return {
        **stamp(one),
        "churn_days": one.churn_days,
        "value_days": one.value_days,
        "customers": one.n_customers,
        "value_total": one.value_total,
        "came_after": one.previous_id,
        "is_current": one.is_current,
    }


def _step(step: HistoryStep, older: HistoryStep | None, lang: Language) -> Json:
    stamped = stamp(step.generation)
    known = step._asdict() | {name: stamped[name] for name in ("generation", "as_of", "model", "published_at")}
    given_before = step.reasons if older is None or older.tier is None else older.reasons
    words = [reason(code, lang) for code in step.reasons]
    new = [code for code in step.reasons if code not in given_before]
    return {**known, "reason_texts": words, "new_reasons": new}


def _moves(matrix: moves.Matrix, generation: Generation) -> Json:
    pairs = [pair._asdict() for pair in moves.pairs(matrix)]
    return {"since_generation": generation.previous_id, "counts": moves.counts(matrix), "matrix": pairs}
