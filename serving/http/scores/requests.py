"""Request models of the stored scores. Ids are in the body, never in an address."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from tiercast.serving.online.requests import MOST_CUSTOMERS, Id, Number, StrictModel
from tiercast.serving.store import keyset, search
from tiercast.serving.store.filters import Filters, MoveFilter
from tiercast.serving.store.keyset import Sort
from tiercast.tiers import actions, reason_texts
from tiercast.tiers.languages import Language

LONGEST_CURSOR = 4_096
MAX_VALUES = 200
Item = TypeVar("Item")
SORTS: dict[str, Sort] = {f"{sign}{by}": Sort(by, sign == "-") for by in keyset.SORTS for sign in ("", "-")}
SortName = Literal[
    "customer_id", "-customer_id", "value", "-value", "p_churn", "-p_churn", "value_at_risk", "-value_at_risk"
]
Format = Literal["json", "csv", "parquet"]


def _known(allowed: tuple[str, ...]) -> AfterValidator:
    """Refuse unknown codes: a misspelled one would match no customer. The code is not quoted: it may be anything."""

    def check(code: str) -> str:
        if code not in allowed:
            raise ValueError("there is no such code; GET /v1/model lists them under texts")
        return code

    return AfterValidator(check)


_REASONS, _ACTIONS = tuple(reason_texts.REASON_TEXTS), tuple(actions.ACTIONS)
Tier = Literal["A", "B", "C", "D", "E", "F"]
Status = Literal["scored", "inactive", "prospect"]
Reason = Annotated[str, _known(_REASONS), Field(json_schema_extra={"enum": list(_REASONS)})]
Action = Annotated[str, _known(_ACTIONS), Field(json_schema_extra={"enum": list(_ACTIONS)})]
AnyOf = Annotated[list[Item], Field(min_length=1, max_length=MAX_VALUES)]
InWords = Annotated[Language, Field(description="The language of the texts; codes stay as they are.")]


class LookupRequest(StrictModel):
    """The customers to look up; an id that comes twice gets one score."""

    customer_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_CUSTOMERS)]
    lang: InWords = "en"


class HistoryRequest(StrictModel):
    """The customer to follow through the generations."""

    customer_id: Id
    lang: InWords = "en"


class Range(StrictModel):
    """A range with both ends included; one of them may be left out."""

    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _check_ends(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max: no number is between them")
        return self

    @property
    def ends(self) -> tuple[float | None, float | None]:
        return self.min, self.max


class SearchRequest(StrictModel):
    """Search criteria: a customer must meet all that are given, and one entry of each list.

    A prospect has neither value nor risk and meets no range of them. An export (`format` csv or parquet) has all
    these customers in the order of their ids, and takes no `sort`, `limit` or `cursor`.
    """

    tiers: AnyOf[Tier] | None = None
    statuses: AnyOf[Status] | None = None
    reasons: Annotated[AnyOf[Reason] | None, Field(description="Codes; met by any of a customer's three.")] = None
    actions: AnyOf[Action] | None = None
    p_churn: Range | None = None
    value: Range | None = None
    value_at_risk: Range | None = None
    is_borderline: bool | None = None
    disagreement: bool | None = None
    moved: Annotated[
        AnyOf[MoveFilter] | None,
        Field(description="The direction since the generation before, or since `moved_since`; in: was not known then."),
    ] = None
    moved_since: Annotated[
        dt.date | None, Field(strict=True, description="Compare with what was known on this day instead.")
    ] = None
    sort: Annotated[
        SortName | None, Field(description="A minus means the largest first; -value_at_risk where nothing is given.")
    ] = None
    limit: Annotated[int | None, Field(strict=True, ge=1, le=search.MAX_LIMIT, description="100 if not given.")] = None
    cursor: Annotated[str | None, Field(max_length=LONGEST_CURSOR, description="`next` of the page before.")] = None
    format: Format = "json"
    lang: InWords = "en"

    @model_validator(mode="after")
    def _refuse_pages_of_an_export(self) -> Self:
        if self.format != "json" and (self.sort, self.limit, self.cursor) != (None, None, None):
            raise ValueError("an export is whole and in the order of ids: leave sort, limit and cursor out")
        return self

    @property
    def order(self) -> Sort:
        return SORTS[self.sort or "-value_at_risk"]

    @property
    def filters(self) -> Filters:
        anything = (None, None)
        return Filters(
            tiers=tuple(self.tiers or ()),
            statuses=tuple(self.statuses or ()),
            actions=tuple(self.actions or ()),
            reasons=tuple(self.reasons or ()),
            p_churn=self.p_churn.ends if self.p_churn else anything,
            value=self.value.ends if self.value else anything,
            value_at_risk=self.value_at_risk.ends if self.value_at_risk else anything,
            is_borderline=self.is_borderline,
            disagreement=self.disagreement,
            moved=tuple(self.moved or ()),
            moved_since=self.moved_since,
        )
