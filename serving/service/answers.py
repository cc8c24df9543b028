"""What a caller gets back, made from the score contract so that the two cannot differ."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

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


class _InWords(BaseModel):
    """One customer: the columns of a score file, and their codes in words."""

    reason_texts: Annotated[list[str], Field(description="The reasons in words, in the same order.")]
    action_text: Annotated[str, Field(description="The action in words.")]


_COLUMNS: dict[str, Any] = {column.name: (annotated(column), ...) for column in scores.SCORES}
Score = create_model("Score", __base__=_InWords, **_COLUMNS)


class ScoreAnswer(BaseModel):
    """`scores` are in the order of the request; `dropped` counts, per table, what was left out and why."""

    as_of: dt.date
    model: str
    currency: str
    scores: list[Score]
    dropped: dict[str, dict[str, int]]


class _Open(BaseModel):
    """An answer that is described elsewhere, so more may stand in it than is named here."""

    model_config = ConfigDict(extra="allow")


class ModelCard(_Open):
    """The bundle's manifest, its scorecard, its cuts, what it reads, the meaning of every column, all texts."""

    served: dict[str, Any]
    model: str
    manifest: dict[str, Any]
    scorecard: dict[str, Any]
    cuts: dict[str, Any]
    reads: dict[str, list[str]]
    features: list[str]
    columns: list[dict[str, Any]]
    stored: dict[str, list[dict[str, str]]]
    texts: dict[str, Any]


class Document(_Open):
    """OpenAPI 3.1."""

    openapi: str
    paths: dict[str, Any]


class Alive(BaseModel):
    """The process answers."""

    alive: Literal[True]


class Ready(BaseModel):
    """Every part of the service in a few words."""

    ready: Literal[True]
    parts: dict[str, str]


class Place(BaseModel):
    """What does not fit, and where."""

    path: str
    message: str


class Failure(BaseModel):
    """What is wrong and what to do about it."""

    code: str
    message: str
    hint: str
    request_id: str
    fields: list[Place] | None = None
    count: int | None = None
    total: int | None = None


class Error(BaseModel):
    """The one shape of every refusal and every fault."""

    error: Failure


class Reloaded(BaseModel):
    """Which bundle answers after a reload; `is_new` is false where it is the one that answered before."""

    model: str
    origin: str
    since: dt.datetime
    is_new: bool
