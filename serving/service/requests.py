"""What a caller may send. An unknown field, a number in quotes or a list without end is an error, not a guess.

Whether a time or an amount can be *read* is not decided here but by `features.reading`, as for files.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from contract import inputs
from tiers.languages import Language

MOST_CUSTOMERS, MOST_ROWS, MOST_ATTRIBUTES = 1_000, 5_000, 200

Id = Annotated[
    str,
    Field(
        min_length=1,
        max_length=128,
        pattern=r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x1f\x7f-\x9f\s][^\x00-\x1f\x7f-\x9f]*$",
        description="Text, spelled as in the transactions: no control characters, not only spaces.",
    ),
]
Label = Annotated[str, Field(max_length=256)]
Time = Annotated[
    str, Field(max_length=40, description="2024-01-31 or 2024-01-31T12:30:00Z; without an offset it is taken as UTC.")
]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Kind = Literal["visit", "support", "complaint", "review", "referral", "survey", "campaign"]
assert Kind.__args__ == inputs.INTERACTION_KINDS  # type: ignore[attr-defined]  # noqa: S101


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Purchase(_Strict):
    """One line of a purchase; a negative amount is a refund."""

    ordered_at: Time
    amount: Number
    order_id: Label | None = None
    product_id: Label | None = None
    category: Label | None = None
    channel: Label | None = None
    quantity: Number | None = None
    margin: Number | None = None


class Contact(_Strict):
    """One contact with a customer."""

    occurred_at: Time
    kind: Kind
    score: Number | None = None
    minutes: Number | None = None


class Customer(_Strict):
    """One customer with all purchases; none at all for a prospect."""

    customer_id: Id
    transactions: Annotated[list[Purchase], Field(max_length=MOST_ROWS)]
    joined_on: Time | None = None
    attributes: Annotated[dict[str, bool | Number | Label | None], Field(max_length=MOST_ATTRIBUTES)] = {}
    interactions: Annotated[list[Contact], Field(max_length=MOST_ROWS)] = []


class ScoreRequest(_Strict):
    """Customers to score as of a day: rows on or after it are counted and not looked at."""

    as_of: Annotated[dt.date, Field(strict=True, description="The day of knowledge, such as 2024-06-30.")]
    customers: Annotated[list[Customer], Field(min_length=1, max_length=MOST_CUSTOMERS)]
    lang: Annotated[Language, Field(description="The language of the texts; codes stay as they are.")] = "en"

    @field_validator("customers")
    @classmethod
    def _refuse_twins(cls, customers: list[Customer]) -> list[Customer]:
        if len({customer.customer_id for customer in customers}) < len(customers):
            raise ValueError("a customer_id comes more than once; send each customer once, with all transactions")
        return customers


class Reload(_Strict):
    """Nothing: an empty JSON object, which no form of a foreign web page can send."""


def n_names(request: ScoreRequest) -> int:
    """How many names of the body's objects were kept, for `strict_json.refuse_twins`."""
    found = len(request.model_fields_set)
    for customer in request.customers:
        found += len(customer.model_fields_set) + len(customer.attributes)
        found += sum(len(line.model_fields_set) for line in customer.transactions)
        found += sum(len(contact.model_fields_set) for contact in customer.interactions)
    return found
