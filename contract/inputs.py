"""The columns of the input tables. One row per purchase line, customer, or contact.

Required columns must be there. Without an optional column, the features that use it are left out.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["id", "time", "money", "number", "label"]


class Column(NamedTuple):
    name: str
    kind: Kind
    is_required: bool = False


TRANSACTIONS = (
    Column("customer_id", "id", True),
    Column("ordered_at", "time", True),
    Column("amount", "money", True),
    Column("order_id", "label"),
    Column("product_id", "label"),
    Column("category", "label"),
    Column("channel", "label"),
    Column("quantity", "number"),
    Column("margin", "money"),
)
CUSTOMERS = (Column("customer_id", "id", True), Column("joined_on", "time"))
INTERACTIONS = (
    Column("customer_id", "id", True),
    Column("occurred_at", "time", True),
    Column("kind", "label", True),
    Column("score", "number"),
    Column("minutes", "number"),
)
OVERRIDES = (
    Column("customer_id", "id", True),
    Column("tier", "label", True),
    Column("reason", "label", True),
    Column("by", "label", True),
    Column("until", "time", True),
)

INTERACTION_KINDS = ("visit", "support", "complaint", "review", "referral", "survey", "campaign")

# Money is added as decimals with six places, so that neither the order of rows nor the number of
# threads changes a bit of a sum. Amounts of 10^11 and more do not fit and are counted as unparsable.
# Quantities, scores and minutes are added in the same way.
MONEY_DIGITS, MONEY_PLACES = 18, 6
TOO_MUCH = 10**11
