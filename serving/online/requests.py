"""The body of a score request. An unknown field, a number in quotes or an endless list is an error, not a guess.

Whether a time or an amount can be *read* is decided by `features.reading`, as for files.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, NotRequired

from pydantic import BaseModel, ConfigDict, Field, field_validator, with_config
from typing_extensions import TypedDict

from tiercast.contract import inputs
from tiercast.tiers.languages import Language

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

Text = Annotated[Label | None, Field(json_schema_extra={"default": None})]
Margin = Annotated[Number | None, Field(json_schema_extra={"default": None})]
Summand = Annotated[Number, Field(gt=-inputs.TOO_MUCH, lt=inputs.TOO_MUCH)]
Figure = Annotated[Summand | None, Field(json_schema_extra={"default": None})]
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class StrictModel(BaseModel):
    """Refuses unknown fields and numbers that are not finite."""

    model_config = STRICT


# Lines are dictionaries: a request may have many thousands of them, and objects take twice as long to create.
@with_config(STRICT)
class Purchase(TypedDict):
    """One line of a purchase; a negative amount is a refund. A model that counts orders takes no amount."""

    ordered_at: Time
    amount: NotRequired[Number]
    order_id: NotRequired[Text]
    product_id: NotRequired[Text]
    category: NotRequired[Text]
    channel: NotRequired[Text]
    quantity: NotRequired[Figure]
    margin: NotRequired[Margin]


@with_config(STRICT)
class Contact(TypedDict):
    """One contact with a customer."""

    occurred_at: Time
    kind: inputs.InteractionKind
    score: NotRequired[Figure]
    minutes: NotRequired[Figure]


class Customer(StrictModel):
    """One customer with all purchases; none at all for a prospect."""

    # Factories: pydantic copies a default of `{}` with `copy.deepcopy`, which is a third of the time per customer.

    customer_id: Id
    transactions: Annotated[list[Purchase], Field(max_length=MOST_ROWS)]
    joined_on: Time | None = None
    attributes: Annotated[dict[str, bool | Number | Label | None], Field(max_length=MOST_ATTRIBUTES)] = Field(
        default_factory=dict, json_schema_extra={"default": {}}
    )
    interactions: Annotated[list[Contact], Field(max_length=MOST_ROWS)] = Field(
        default_factory=list, json_schema_extra={"default": []}
    )


class ScoreRequest(StrictModel):
    """Customers to score as of a day: rows on or after it are counted and not looked at."""

    as_of: Annotated[dt.date, Field(strict=True, description="The day of knowledge, such as 2024-06-30.")]
    customers: Annotated[list[Customer], Field(min_length=1, max_length=MOST_CUSTOMERS)]
    lang: Annotated[Language, Field(description="The language of the texts; codes stay as they are.")] = "en"
    letter_change: Annotated[
        bool, Field(description="Also say what would change each letter: for small requests, and slower.")
    ] = False

    @field_validator("customers")
    @classmethod
    def _refuse_duplicates(cls, customers: list[Customer]) -> list[Customer]:
        if len({customer.customer_id for customer in customers}) < len(customers):
            raise ValueError("a customer_id comes more than once; send each customer once, with all transactions")
        return customers


def n_names(request: ScoreRequest) -> int:
    """How many names the objects of the request have: fewer than its body has where a name comes twice."""
    n = len(request.model_fields_set)
    for customer in request.customers:
        n += len(customer.__pydantic_fields_set__) + len(customer.attributes)  # `model_fields_set` is a property
        n += sum(map(len, customer.transactions)) + sum(map(len, customer.interactions))
    return n
