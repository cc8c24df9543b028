"""The columns of the input tables. One row per purchase line, customer, or contact.

Required columns must be there. Without an optional column, the features that use it are left out.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Kind = Literal["id", "time", "money", "number", "label"]


class InputColumn(NamedTuple):
    name: str
    kind: Kind
    is_required: bool = False


TRANSACTIONS = (
    InputColumn("customer_id", "id", True),
    InputColumn("ordered_at", "time", True),
    InputColumn("amount", "money", True),
    InputColumn("order_id", "label"),
    InputColumn("product_id", "label"),
    InputColumn("category", "label"),
    InputColumn("channel", "label"),
    InputColumn("quantity", "number"),
    InputColumn("margin", "money"),
)
CUSTOMERS = (InputColumn("customer_id", "id", True), InputColumn("joined_on", "time"))
INTERACTIONS = (
    InputColumn("customer_id", "id", True),
    InputColumn("occurred_at", "time", True),
    InputColumn("kind", "label", True),
    InputColumn("score", "number"),
    InputColumn("minutes", "number"),
)
OVERRIDES = (
    InputColumn("customer_id", "id", True),
    InputColumn("tier", "label", True),
    InputColumn("reason", "label", True),
    InputColumn("by", "label", True),
    InputColumn("until", "time", True),
)

InteractionKind = Literal["visit", "support", "complaint", "review", "referral", "survey", "campaign"]
INTERACTION_KINDS: tuple[InteractionKind, ...] = get_args(InteractionKind)

ORDERS = "orders"
"""The unit of value where no amount is read."""

# Money is added as decimals with six places, so that neither the order of rows nor the number of
# threads changes a bit of a sum. Amounts of 10^11 and more do not fit and are counted as unparsable.
# Quantities, scores and minutes are added in the same way.
MONEY_DIGITS, MONEY_PLACES = 18, 6
TOO_MUCH = 10**11
