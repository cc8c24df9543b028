"""The columns of `tiercast moves --out`: one row per customer whose tier changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from tiercast.contract import scores
from tiercast.contract.scores import ArrowName

if TYPE_CHECKING:  # reading the names must not cost the command line an Arrow import
    import pyarrow as pa

GRAIN = "One row per customer who moved between two score files."


class MoveColumn(NamedTuple):
    name: str
    type: ArrowName
    meaning: str


MOVES: tuple[MoveColumn, ...] = (
    MoveColumn("customer_id", "string", "The customer, spelled as in the scores."),
    MoveColumn("direction", "string", "up, down, in (only in the newer scores) or out (only in the older ones)."),
    MoveColumn(
        "lost", "string", "What a fall cost: loyalty, value, both, activity (now E), orders (now F); else empty."
    ),
    MoveColumn("old_tier", "string", "The tier before; null where the customer was not known."),
    MoveColumn("new_tier", "string", "The tier now; null where the customer is not known any more."),
    MoveColumn("old_value", "double", "Expected value before; null for prospects and the unknown."),
    MoveColumn("new_value", "double", "Expected value now; null likewise."),
    MoveColumn("value_change", "double", "New less old value, what is null counting as 0."),
    MoveColumn("old_p_churn", "double", "Churn risk before; null likewise."),
    MoveColumn("new_p_churn", "double", "Churn risk now; null likewise."),
    MoveColumn("p_churn_change", "double", "New less old risk; null where one of them is."),
    MoveColumn("reasons", "list<string>", "The reason codes of the newer score; empty where there is none."),
)


def schema(currency: str, old_as_of: str, new_as_of: str) -> pa.Schema:
    """The Arrow schema of a moves file, with the meaning of every column in its metadata.

    >>> schema("GBP", "2024-05-31", "2024-06-30").names[:3]
    ['customer_id', 'direction', 'lost']
    """
    import pyarrow as pa

    fields = [
        pa.field(each.name, scores.arrow_type(each.type), metadata={scores.KEY: json.dumps({"meaning": each.meaning})})
        for each in MOVES
    ]
    notes = {"grain": GRAIN, "currency": currency, "old_as_of": old_as_of, "new_as_of": new_as_of}
    return pa.schema(fields, metadata={scores.KEY: json.dumps(notes, sort_keys=True, ensure_ascii=False)})
