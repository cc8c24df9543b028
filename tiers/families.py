"""Families of features that mean the same thing, and the reasons that each may give.

The contributions of a family's features are summed. If the sum raises the risk of churn, the first of its risk reasons
that is true of the customer may be given; if it lowers the risk, the first true loyalty reason. So no reason is given
twice, and none against the model.

Some families are explained by others. A model that uses "orders in the last 90 days" or the closed form often means the
silence behind them. Their sum goes to the first family on the list with a true reason in that direction. If there is
none, they give a reason of their own.
"""

from __future__ import annotations

import fnmatch
import functools
import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

from tiercast.contract.periods import YEAR_DAYS
from tiercast.tiers.conditions import Condition

Direction = Literal["risk", "loyalty", "high", "low"]


class Reason(NamedTuple):
    """A code that may be given to a customer for whom every condition in `when` holds."""

    code: str
    when: tuple[Condition, ...] = ()


class ReasonFamily(NamedTuple):
    """`features` are names or patterns; `..._explained_by` are the families whose reasons go before this one's own."""

    name: str
    features: tuple[str, ...]
    risk: tuple[Reason, ...] = ()
    loyalty: tuple[Reason, ...] = ()
    risk_explained_by: tuple[str, ...] = ()
    loyalty_explained_by: tuple[str, ...] = ()


def _contact(kind: str) -> tuple[str, ...]:
    return (f"n_{kind}", f"n_{kind}_*d", f"{kind}_last_days", f"{kind}_score_mean", f"{kind}_minutes")


ONE_ORDER = Condition("n_orders", "==", 1)
TWO_WINDOWS_OLD = Condition("age_days", ">=", 2, times="<w>")
NEVER_ORDERED = Reason("never_ordered", (Condition("n_orders", "==", 0),))

FAMILIES: tuple[ReasonFamily, ...] = (
    ReasonFamily(
        "silence",
        ("silence_days", "silence_over_gap"),
        risk=(
            Reason("silent_5x_usual_gap", (Condition("silence_over_gap", ">=", 5),)),
            Reason(
                "silent_3x_usual_gap", (Condition("silence_over_gap", ">=", 3), Condition("silence_over_gap", "<", 5))
            ),
            Reason(
                "silent_2x_usual_gap", (Condition("silence_over_gap", ">=", 2), Condition("silence_over_gap", "<", 3))
            ),
            Reason("past_usual_gap", (Condition("silence_over_gap", ">", 1), Condition("silence_over_gap", "<", 2))),
            Reason("silent_long", (ONE_ORDER, Condition("silence_days", ">=", 90))),
            Reason("silent_past_limit", (Condition("silence_days", ">=", 1, times="inactive_days"),)),
        ),
        loyalty=(
            Reason("ordered_recently", (Condition("silence_days", "<=", 30), Condition("silence_over_gap", "<", 2))),
            Reason("ordered_recently", (Condition("silence_days", "<=", 30), ONE_ORDER)),
            Reason("within_usual_gap", (Condition("silence_over_gap", "<=", 1),)),
        ),
    ),
    ReasonFamily(
        "frequency",
        ("n_orders", "n_repeat_orders", "gap_mean_days"),
        risk=(
            Reason("one_order_only", (ONE_ORDER,)),
            Reason("rare_buyer", (Condition("n_orders", "<=", 3), Condition("age_days", ">=", 180))),
            Reason("rare_buyer", (Condition("gap_mean_days", ">=", 90),)),
            Reason("long_gaps", (Condition("gap_mean_days", ">=", 0.5, times="churn_days"),)),
        ),
        loyalty=(
            Reason("frequent_buyer", (Condition("n_orders", ">=", 6), Condition("gap_mean_days", "<", 90))),
            Reason("short_gaps", (Condition("gap_mean_days", "<=", 0.75, times="churn_days"),)),
        ),
    ),
    ReasonFamily(
        "activity",
        ("n_orders_[0-9]*d", "orders_trend_[0-9]*d"),
        risk=(Reason("orders_falling", (Condition("orders_trend_<w>d", "<=", -1), TWO_WINDOWS_OLD)),),
        loyalty=(
            Reason("orders_rising", (Condition("orders_trend_<w>d", ">=", 1), TWO_WINDOWS_OLD)),
            Reason("active_lately", (Condition("n_orders_<w>d", ">=", 2),)),
        ),
        risk_explained_by=("silence",),
    ),
    ReasonFamily(
        "spend",
        ("spend_[0-9]*d", "spend_total"),
        risk=(
            Reason(
                "spend_falling",
                (
                    Condition("spend_<w>d", "<=", 0.35, times="spend_<2w>d"),
                    Condition("spend_<2w>d", ">", 0),
                    TWO_WINDOWS_OLD,
                ),
            ),
        ),
        loyalty=(
            Reason(
                "spend_rising",
                (
                    Condition("spend_<w>d", ">=", 0.65, times="spend_<2w>d"),
                    Condition("spend_<2w>d", ">", 0),
                    TWO_WINDOWS_OLD,
                ),
            ),
        ),
        risk_explained_by=("silence",),
    ),
    ReasonFamily(
        "order_value",
        ("order_value_*", "repeat_order_value", "quantity_per_order"),
        risk=(Reason("low_order_value", (Condition("order_value_mean", "<=", 0.67, times="typical"),)),),
        loyalty=(Reason("high_order_value", (Condition("order_value_mean", ">=", 1.5, times="typical"),)),),
    ),
    ReasonFamily(
        "season",
        ("n_orders_last_year", "spend_last_year"),
        risk=(
            Reason(
                "skipped_this_season_last_year",
                (Condition("n_orders_last_year", "==", 0), Condition("age_days", ">=", YEAR_DAYS)),
            ),
        ),
        loyalty=(Reason("bought_this_season_last_year", (Condition("n_orders_last_year", ">=", 1),)),),
    ),
    ReasonFamily(
        "regularity",
        ("gap_sd_days", "gap_longest_days", "gap_last_days"),
        risk=(
            Reason(
                "irregular_buyer",
                (Condition("gap_sd_days", ">=", 1, times="gap_mean_days"), Condition("n_orders", ">=", 4)),
            ),
        ),
        loyalty=(
            Reason(
                "regular_buyer",
                (Condition("gap_sd_days", "<=", 0.5, times="gap_mean_days"), Condition("n_orders", ">=", 4)),
            ),
        ),
    ),
    ReasonFamily(
        "tenure",
        ("age_days", "recency_days", "tenure_days"),
        risk=(Reason("new_customer", (Condition("age_days", "<=", 90),)),),
        loyalty=(Reason("long_standing", (Condition("age_days", ">=", YEAR_DAYS), Condition("n_orders", ">=", 2))),),
    ),
    ReasonFamily(
        "range",
        ("n_products", "n_categories", "n_channels", "products_per_order", "repeat_product_share"),
        risk=(
            Reason("narrow_range", (Condition("n_products", "<=", 2),)),
            Reason("narrow_range", (Condition("n_categories", "<=", 1),)),
        ),
        loyalty=(
            Reason("broad_range", (Condition("n_products", ">=", 10),)),
            Reason("broad_range", (Condition("n_categories", ">=", 4),)),
        ),
    ),
    ReasonFamily(
        "refunds",
        ("n_refunds", "refund_share"),
        risk=(Reason("many_refunds", (Condition("n_refunds", ">=", 2),)),),
    ),
    ReasonFamily(
        "complaints",
        _contact("complaint"),
        risk=(Reason("complained", (Condition("n_complaint", ">=", 1),)),),
    ),
    ReasonFamily(
        "support",
        _contact("support"),
        risk=(Reason("needed_support", (Condition("n_support", ">=", 1),)),),
    ),
    ReasonFamily(
        "visits",
        _contact("visit"),
        risk=(Reason("no_recent_visits", (Condition("visit_last_days", ">=", 60),)),),
        loyalty=(Reason("visited_recently", (Condition("visit_last_days", "<=", 30),)),),
    ),
    ReasonFamily(
        "campaigns",
        _contact("campaign"),
        # a row is a contact; only an order after it shows a response
        loyalty=(
            Reason(
                "campaign_response",
                (
                    Condition("campaign_last_days", "<=", 90),
                    Condition("silence_days", "<", 1, times="campaign_last_days"),
                ),
            ),
        ),
    ),
    ReasonFamily(
        "voice",
        (*_contact("review"), *_contact("survey"), *_contact("referral")),
        loyalty=(
            Reason("referred_others", (Condition("n_referral", ">=", 1),)),
            Reason("gave_feedback", (Condition("n_review", ">=", 1),)),
            Reason("gave_feedback", (Condition("survey_score_mean", ">=", -math.inf),)),  # a survey may stay unanswered
        ),
    ),
    ReasonFamily(
        "profile",
        ("attr_*",),
        risk=(Reason("customer_profile_risk"),),
        loyalty=(Reason("customer_profile_loyal"),),
    ),
    ReasonFamily(
        "pattern",
        ("btyd_*",),
        risk=(Reason("history_pattern_risk"),),
        loyalty=(Reason("history_pattern_loyal"),),
        risk_explained_by=("silence", "frequency"),
        loyalty_explained_by=("silence", "frequency"),
    ),
)
NAMES = tuple(family.name for family in FAMILIES)
VALUE = "value"
"""The family of the reasons for the other axis of the letter; see `tiers.value_reasons`."""
HIGH_VALUE = ("high_value_many_orders", "high_value_large_orders")
LOW_VALUE = ("low_value_few_orders", "low_value_small_orders")
ONE_ORDER_SO_FAR = "low_value_one_order"
REPEATS: Mapping[str, str] = {
    "silent_long": "one_order_only",
    "high_value_large_orders": "high_order_value",
    "low_value_small_orders": "low_order_value",
    "low_value_one_order": "one_order_only",
}
"""Reasons that say what another one says, too: the other is left out beside them."""
OVERALL: Mapping[Direction, str] = {"risk": "overall_risk", "loyalty": "overall_loyal"}
"""For customers about whom no single reason is true."""


@functools.cache
def family_of(feature: str) -> str | None:
    """The family a feature belongs to; None if it has none.

    >>> family_of("n_orders_60d"), family_of("n_orders_last_year"), family_of("n_orders"), family_of("zodiac")
    ('activity', 'season', 'frequency', None)
    """
    for family in FAMILIES:
        if any(fnmatch.fnmatchcase(feature, pattern) for pattern in family.features):
            return family.name
    return None


def _by_code() -> dict[str, tuple[str, Direction]]:
    by_code: dict[str, tuple[str, Direction]] = {}
    for family in FAMILIES:
        by_code.update({reason.code: (family.name, "risk") for reason in family.risk})
        by_code.update({reason.code: (family.name, "loyalty") for reason in family.loyalty})
    by_code.update({code: ("overall", direction) for direction, code in OVERALL.items()})
    by_code.update(dict.fromkeys(HIGH_VALUE, (VALUE, "high")))
    by_code.update(dict.fromkeys((*LOW_VALUE, ONE_ORDER_SO_FAR), (VALUE, "low")))
    return by_code


BY_CODE = _by_code()
"""The family and direction of every reason."""
CODES: tuple[str, ...] = (NEVER_ORDERED.code, *BY_CODE)
