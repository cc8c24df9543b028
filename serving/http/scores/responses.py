"""What a caller gets back of the stored scores: the columns of a score file, and which generation they come from."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from tiercast.contract.scores import ScoreColumn
from tiercast.serving.online import responses
from tiercast.tiers.moves import Direction, Lost

STORED = (
    ScoreColumn(
        "value_at_risk", "double", "p_churn × value: the money expected to leave.", "money", null_when="prospect"
    ),
    ScoreColumn(
        "previous_tier", "string", "The tier in the generation before.", null_when="not among the scores before"
    ),
    ScoreColumn(
        "move",
        "string",
        "Which way from there: stay, up, down, or in for who was not among the scores before.",
        null_when="no generation before to compare with",
    ),
)
"""What the store adds to the columns of a score file."""

_ADDED: dict[str, Any] = {column.name: (responses.annotated(column), ...) for column in STORED}
StoredScore = create_model("StoredScore", __base__=responses.Score, **_ADDED)


class Stamp(BaseModel):
    """The source of a response: one generation, that is, one published score file."""

    as_of: Annotated[dt.date, Field(description="Only what happened strictly before this day was known.")]
    model: Annotated[str, Field(description="Name, version and run of the model that gave the scores.")]
    currency: str
    generation: Annotated[int, Field(description="Counts up with every published score file.")]
    published_at: dt.datetime
    age_seconds: Annotated[int, Field(ge=0, description="How long ago that was.")]


class LookupResponse(Stamp):
    """`scores` are in the order of the request; `unknown` are the ids that this generation does not have."""

    scores: list[StoredScore]
    unknown: list[str]


class SearchResponse(Stamp):
    """One page. `next` is the cursor of the page after it; null on the last."""

    scores: list[StoredScore]
    next: str | None


class Step(BaseModel):
    """A customer in one generation, and the way there from the one before; nulls where they were not in it."""

    generation: int
    as_of: dt.date
    model: str
    published_at: dt.datetime
    tier: str | None
    status: str | None
    value: float | None
    p_churn: float | None
    reasons: list[str]
    reason_texts: list[str]
    new_reasons: Annotated[
        list[str], Field(description="Those of `reasons` that were not given in the step before: what drove the move.")
    ]
    direction: Annotated[
        Direction | None, Field(description="stay, up, down, in or out; null in the oldest generation that is kept.")
    ]
    lost: Annotated[Lost, Field(description="What a fall cost; empty where nothing was lost.")]
    value_change: Annotated[float | None, Field(description="New less old value; null where one of them is.")]
    p_churn_change: Annotated[float | None, Field(description="New less old risk; null where one of them is.")]


class HistoryResponse(Stamp):
    """The newest generation first; no steps at all for a customer who is in none of them."""

    steps: list[Step]


class GridTier(BaseModel):
    """One tier. Null where nobody in it has such a number, which is not 0."""

    tier: Annotated[str, Field(description="The letter; its name and meaning are under texts in GET /v1/model.")]
    customers: Annotated[int, Field(description="How many customers stand in it.")]
    share: Annotated[float, Field(description="Of all customers of the generation.")]
    value_total: Annotated[float | None, Field(description="Sum of value.")]
    value_mean: Annotated[float | None, Field(description="value_total ÷ customers.")]
    p_churn_mean: Annotated[float | None, Field(description="The share of them expected not to order in the window.")]
    value_at_risk: Annotated[float | None, Field(description="Sum of p_churn × value: the money expected to leave.")]
    disagreement: Annotated[
        float | None, Field(description="Share of customers on whom trained models and closed form differ clearly.")
    ]


class Pair(BaseModel):
    """The customers who went from one tier to one tier; null stands for "not among these scores"."""

    old: str | None
    new: str | None
    direction: Direction
    customers: int
    value_before: Annotated[float, Field(description="Sum of their value in the older scores.")]
    value_after: Annotated[float, Field(description="The same in the newer ones.")]


class Moves(BaseModel):
    """From the generation before to this one."""

    since_generation: int | None
    counts: Annotated[dict[Direction, int], Field(description="How many customers went which way.")]
    matrix: Annotated[list[Pair], Field(description="Every pair of tiers that occurs, those who stayed too.")]


class GridResponse(Stamp):
    """The whole base at a glance; `moves` is null where there is no generation before that can be compared."""

    churn_days: int
    value_days: int
    customers: int
    borderline: Annotated[int, Field(description="Customers of A to D inside the band of a cut.")]
    value_total: float | None
    tiers: list[GridTier]
    moves: Moves | None


class GenerationResponse(Stamp):
    """One published score file."""

    churn_days: int
    value_days: int
    customers: int
    value_total: float | None
    came_after: Annotated[int | None, Field(description="The generation that was served when this one came.")]
    is_current: bool


class GenerationsResponse(Stamp):
    """The served generation, and all that are kept, the newest first."""

    generations: list[GenerationResponse]


def definitions() -> dict[str, list[dict[str, str]]]:
    """What every number means that the stored scores add to those of a score file; for GET /v1/model."""
    added = [{"name": c.name, "type": c.type, "meaning": c.meaning, "null_when": c.null_when} for c in STORED]
    described: dict[str, type[BaseModel]] = {"generation": Stamp, "history": Step, "grid": GridTier, "moves": Pair}
    return {"columns": added} | {name: _described(model) for name, model in described.items()}


def _described(model: type[BaseModel]) -> list[dict[str, str]]:
    fields = model.model_fields.items()
    return [{"name": name, "meaning": field.description} for name, field in fields if field.description]
