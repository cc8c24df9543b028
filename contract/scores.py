"""The columns of a score, on which downstream jobs depend: one row per customer known at as_of.

Names, types and order are fixed; adding, dropping or redefining a column is a new `FORMAT`. New columns are only ever
added at the end, so a reader of an older format finds all of its own.
The Parquet file carries all of this in its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tiercast.contract import inputs

if TYPE_CHECKING:  # reading the names must not cost the command line an Arrow import
    import pyarrow as pa

FORMAT = 2
KEY = b"tiercast"
GRAIN = "One row per customer known at as_of, prospects included."

ArrowName = Literal["string", "date32", "double", "bool", "list<string>"]
Window = Literal["", "churn", "value"]
Reasons = Literal["all", "risky", "none"]
"""The customers that get reasons."""
INTERVAL_COVERAGE = 0.8
"""`value_low` and `value_high` are the quantiles that leave out this much between them."""
INTERVAL_TAIL = (1 - INTERVAL_COVERAGE) / 2
"""The share promised beyond each end of a range."""
PROSPECT, CLV = "prospect", "prospect, or the bundle has no fitted order model"


class ScoreColumn(NamedTuple):
    """`window` names the horizon of the number; `null_when` the only rows in which it may be null."""

    name: str
    type: ArrowName
    meaning: str
    unit: str = ""
    orientation: str = ""
    window: Window = ""
    null_when: str = "never"


HIGHER_BETTER, HIGHER_RISKIER, HIGHER_SURER = "higher is better", "higher is riskier", "higher is surer"

SCORES: tuple[ScoreColumn, ...] = (
    ScoreColumn("customer_id", "string", "The customer, spelled as in the transactions."),
    ScoreColumn("as_of", "date32", "The day of knowledge: only what happened strictly before it was used."),
    ScoreColumn("tier", "string", "The cell of the loyalty × value grid, A to F.", orientation="A is best"),
    ScoreColumn("status", "string", "Whether the customer is `scored`, `inactive` (tier E) or a `prospect` (tier F)."),
    ScoreColumn(
        "p_churn",
        "double",
        "Calibrated probability of no order in the window.",
        "probability in [0, 1]",
        HIGHER_RISKIER,
        "churn",
        PROSPECT,
    ),
    ScoreColumn("loyalty", "double", "1 - p_churn.", "probability in [0, 1]", HIGHER_BETTER, "churn", PROSPECT),
    ScoreColumn(
        "p_alive",
        "double",
        "Closed-form probability of still being a customer; under BG/NBD 1 for one-time buyers: never use it alone.",
        "probability in [0, 1]",
        HIGHER_BETTER,
        null_when=CLV,
    ),
    ScoreColumn(
        "expected_orders", "double", "Closed-form expected orders in the window.", "orders", HIGHER_BETTER, "value", CLV
    ),
    ScoreColumn(
        "expected_order_value",
        "double",
        "Gamma-Gamma expected money per order.",
        "money per order",
        HIGHER_BETTER,
        null_when=CLV,
    ),
    ScoreColumn(
        "clv",
        "double",
        "The closed form, orders × order value, over the window, discounted when a rate is set.",
        "money",
        HIGHER_BETTER,
        "value",
        CLV,
    ),
    ScoreColumn(
        "value",
        "double",
        "Expected revenue in the window: the prediction the tier uses.",
        "money",
        HIGHER_BETTER,
        "value",
        PROSPECT,
    ),
    ScoreColumn(
        "value_low",
        "double",
        "The 10 % quantile of what such a customer brings: 0 where bringing nothing has a chance of 10 % or more.",
        "money",
        HIGHER_BETTER,
        "value",
        PROSPECT,
    ),
    ScoreColumn(
        "value_high",
        "double",
        "The 90 % quantile of what such a customer brings: one in ten brings more.",
        "money",
        HIGHER_BETTER,
        "value",
        PROSPECT,
    ),
    ScoreColumn(
        "p_high_value",
        "double",
        "Probability that the realised value reaches the value cut.",
        "probability in [0, 1]",
        HIGHER_BETTER,
        "value",
        PROSPECT,
    ),
    ScoreColumn(
        "tier_confidence",
        "double",
        "Probability that what happens bears the tier out: A an order and a value at the cut or above, C an order and "
        "less, B, D and E no order.",
        "probability in [0, 1]",
        HIGHER_SURER,
        null_when=PROSPECT,
    ),
    ScoreColumn(
        "is_borderline",
        "bool",
        "Whether a customer of A to D is inside the band of a cut (value ± 5 %, risk ± 0.05 by default).",
        null_when=PROSPECT,
    ),
    ScoreColumn("reasons", "list<string>", "At most three reason codes, the most telling first; may be empty."),
    ScoreColumn("action", "string", "The code of the next step in the playbook."),
    ScoreColumn("model", "string", "Registered name, version and run id of the model that gave the score."),
    ScoreColumn(
        "raw_tier",
        "string",
        "The cell by today's numbers alone, before bands hold last time's tier and before tiers set by hand.",
        orientation="A is best",
    ),
    ScoreColumn(
        "p_order",
        "double",
        "Probability of an order in the window; times orders_if_any times value_per_order it is value.",
        "probability in [0, 1]",
        HIGHER_BETTER,
        "value",
        PROSPECT,
    ),
    ScoreColumn(
        "orders_if_any",
        "double",
        "Expected orders of a customer who places one in the window, at least 1.",
        "orders",
        HIGHER_BETTER,
        "value",
        PROSPECT,
    ),
    ScoreColumn(
        "value_per_order",
        "double",
        "Expected money per order in the window.",
        "money per order",
        HIGHER_BETTER,
        "value",
        PROSPECT,
    ),
    ScoreColumn(
        "disagreement",
        "bool",
        "Whether the trained models and the closed form differ by more than 20 points of risk, or by a factor of 2 "
        "and a quarter of the value cut in value.",
        null_when=PROSPECT,
    ),
)
NAMES = tuple(column.name for column in SCORES)


def schema(
    currency: str,
    churn_days: int,
    value_days: int,
    label_definition: str = "",
    *,
    extra: Mapping[str, object] | None = None,
) -> pa.Schema:
    """The Arrow schema of a score file, with the meaning of every column in its metadata.

    `label_definition` defines churn and value as they were at training; an empty one takes the
    default text. `extra` (cut points, model, ...) joins the table's metadata as JSON. The
    same arguments give the same bytes.

    >>> scores = schema("GBP", churn_days=90, value_days=365)
    >>> about(scores)["currency"], about(scores.field("p_churn"))["window"]
    ('GBP', '[as_of, as_of + 90 days)')
    """
    import pyarrow as pa

    days = {"churn": churn_days, "value": value_days}
    fields = [pa.field(c.name, arrow_type(c.type), metadata=_as_json(_field_notes(c, currency, days))) for c in SCORES]
    label = label_definition or _default_label(currency, churn_days, value_days)
    notes = {"format": FORMAT, "grain": GRAIN, "currency": currency, "churn_days": churn_days, "value_days": value_days}
    return pa.schema(fields, metadata=_as_json({**(extra or {}), **notes, "label": label}))


def about(item: pa.Schema | pa.Field) -> dict[str, Any]:
    """Our metadata of a score table or of one of its columns; empty if there is none."""
    notes: dict[str, Any] = json.loads((item.metadata or {}).get(KEY, b"{}"))
    return notes


def _default_label(currency: str, churn_days: int, value_days: int) -> str:
    brings = "number of orders" if currency == inputs.ORDERS else "sum of amounts, refunds included, not below 0,"
    return (
        f"churn: no order in [as_of, as_of + {churn_days} days); value: {brings} in [as_of, as_of + {value_days} days)"
    )


def _field_notes(column: ScoreColumn, currency: str, days: Mapping[str, int]) -> dict[str, object]:
    notes = {k: v for k, v in column._asdict().items() if v and k not in ("name", "type")}
    if column.window:
        notes["window"] = f"[as_of, as_of + {days[column.window]} days)"
    if column.unit.startswith("money"):
        notes["unit"] = column.unit.replace("money", currency)
    return notes


def arrow_type(name: ArrowName) -> pa.DataType:
    """The Arrow type behind a name in a table of columns."""
    import pyarrow as pa

    if name == "list<string>":
        return pa.list_(pa.string())
    plain = {"string": pa.string(), "date32": pa.date32(), "double": pa.float64(), "bool": pa.bool_()}
    return plain[name]


def _as_json(notes: Mapping[str, object]) -> dict[bytes | str, bytes | str]:
    return {KEY: json.dumps(notes, sort_keys=True, ensure_ascii=False).encode()}
