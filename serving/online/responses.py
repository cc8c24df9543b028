"""The response models of `POST /v1/score`, made from the score contract so that the two cannot differ."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from tiercast.contract import scores

TYPES: dict[scores.ArrowName, Any] = {
    "string": str,
    "date32": dt.date,
    "double": float,
    "bool": bool,
    "list<string>": list[str],
}


def annotated(column: scores.ScoreColumn) -> Any:
    """The type of a column in JSON, with what it means."""
    kind = TYPES[column.type] if column.null_when == "never" else TYPES[column.type] | None
    return Annotated[kind, Field(description=column.meaning)]


class LetterChange(BaseModel):
    """An order within `days` brings `tier`, or `days` without one do. If neither does: null, and the days tried."""

    by: Literal["order", "silence"] | None
    days: int
    tier: str | None


class _InWords(BaseModel):
    """One customer: the columns of a score file, and their codes in words."""

    reason_texts: Annotated[list[str], Field(description="The reasons in words, in the same order.")]
    action_text: Annotated[str, Field(description="The action in words.")]
    value_text: Annotated[str | None, Field(description="The value and its range in words that do not contradict it.")]


_COLUMNS: dict[str, Any] = {column.name: (annotated(column), ...) for column in scores.SCORES}
Score = create_model("Score", __base__=_InWords, **_COLUMNS)


class ExplainedScore(Score):
    """A score, and with `letter_change` in the request what would change the letter."""

    letter_change: Annotated[LetterChange | None, Field(description="Null for prospects.")] = None
    letter_change_text: Annotated[str | None, Field(description="The same in words.")] = None


class ScoreResponse(BaseModel):
    """`scores` are in the order of the request; `dropped` counts, per table, what was left out and why."""

    as_of: dt.date
    model: str
    currency: str
    scores: list[ExplainedScore]
    dropped: dict[str, dict[str, int]]
