"""Which features a bundle uses: decided once at training, frozen in the bundle, compared at scoring.

A feature that the training data cannot support (no such column, too short a history) is left out of the list: a column
of nulls would look like knowledge.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

CONTACT_WINDOW_DAYS = 90

HISTORY = (
    "n_orders",
    "n_repeat_orders",
    "recency_days",
    "age_days",
    "silence_days",
    "repeat_order_value",
    "gap_mean_days",
    "gap_sd_days",
    "gap_longest_days",
    "gap_last_days",
    "silence_over_gap",
    "spend_total",
    "order_value_mean",
    "order_value_sd",
    "order_value_max",
    "order_value_first",
    "order_value_last",
    "n_refunds",
    "refund_share",
)
SEASON = ("n_orders_last_year", "spend_last_year")
MARGIN = "margin"  # not a feature, but the meaning of money: a bundle trained on margins needs margins
ORDER_COUNT = "order_count"  # nor is this: no amount is read, and value is a number of orders
BREADTH = {
    "product_id": ("n_products", "products_per_order", "repeat_product_share"),
    "category": ("n_categories",),
    "channel": ("n_channels",),
    "quantity": ("quantity_per_order",),
}


class Attribute(NamedTuple):
    """A column of the customers table. Labels become the position in `categories`, others null."""

    name: str
    kind: Literal["number", "label"]
    categories: tuple[str, ...] = ()


class FeatureSpec(NamedTuple):
    """Everything that decides the columns of the feature table; days as unit."""

    windows: tuple[int, ...]
    season_days: int | None = None
    columns: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    has_joined_on: bool = False
    contact_kinds: tuple[str, ...] = ()
    contact_columns: tuple[str, ...] = ()

    @property
    def counts_orders(self) -> bool:
        """Whether no amount is read, so that value is in orders."""
        return ORDER_COUNT in self.columns

    @property
    def trends(self) -> tuple[int, ...]:
        """The windows that have a window of twice their length beside them.

        >>> FeatureSpec(windows=(30, 60, 90, 180)).trends
        (30, 90)
        """
        return tuple(w for w in self.windows if 2 * w in self.windows)

    @property
    def names(self) -> tuple[str, ...]:
        """The feature columns in order, without `customer_id`.

        >>> FeatureSpec(windows=(30,), columns=("channel",)).names[-4:]
        ('refund_share', 'n_orders_30d', 'spend_30d', 'n_channels')
        """
        return (
            *HISTORY,
            *(f"{what}_{w}d" for w in self.windows for what in ("n_orders", "spend")),
            *(f"orders_trend_{w}d" for w in self.trends),
            *(SEASON if self.season_days else ()),
            *(name for column in self.columns for name in BREADTH.get(column, ())),
            *(("tenure_days",) if self.has_joined_on else ()),
            *(f"attr_{a.name}" for a in self.attributes),
            *(name for kind in self.contact_kinds for name in self.contact_names(kind)),
        )

    def contact_names(self, kind: str) -> tuple[str, ...]:
        """The columns one kind of interaction gives."""
        optional = {"score": f"{kind}_score_mean", "minutes": f"{kind}_minutes"}
        counts = (f"n_{kind}", f"n_{kind}_{CONTACT_WINDOW_DAYS}d", f"{kind}_last_days")
        return (*counts, *(optional[c] for c in self.contact_columns))

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns whose numbers are positions in a list of labels, not quantities."""
        return tuple(f"attr_{a.name}" for a in self.attributes if a.kind == "label")

    def as_dict(self) -> dict[str, Any]:
        return {**self._asdict(), "attributes": [a._asdict() for a in self.attributes]}


def from_dict(data: dict[str, Any]) -> FeatureSpec:
    """The inverse of `FeatureSpec.as_dict`, from parsed JSON."""
    attributes = tuple(Attribute(a["name"], a["kind"], tuple(a["categories"])) for a in data["attributes"])
    lists = {k: tuple(data[k]) for k in ("windows", "columns", "contact_kinds", "contact_columns")}
    return FeatureSpec(**{**data, **lists, "attributes": attributes})
