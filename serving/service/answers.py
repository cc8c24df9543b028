"""What a caller gets back, made from the score contract so that the two cannot differ."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from contract import scores

TYPES: dict[scores.ArrowName, Any] = {
    "string": str,
    "date32": dt.date,
    "double": float,
    "bool": bool,
    "list<string>": list[str],
}


def _field(column: scores.ScoreColumn) -> Any:
    kind = TYPES[column.type] if column.null_when == "never" else TYPES[column.type] | None
    return Annotated[kind, Field(description=column.meaning)]


Score = create_model(
    "Score",
    __doc__="One customer: the columns of a score file, and their codes in words.",
    **{column.name: (_field(column), ...) for column in scores.SCORES},
    reason_texts=(list[str], Field(description="The reasons in words, in the same order.")),
    action_text=(str, Field(description="The action in words.")),
)


class ScoreAnswer(BaseModel):
    """`scores` are in the order of the request; `dropped` counts, per table, what was left out and why."""

    as_of: dt.date
    model: str
    currency: str
    scores: list[Score]  # type: ignore[valid-type]
    dropped: dict[str, dict[str, int]]
