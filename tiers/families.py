"""Which features speak about the same thing, and what may be said when they push.

A family's contributions are summed once. Its readings say in words what the sum means: the first
risk reading that is true of the customer when the sum pushes towards churn, the first loyalty
reading when it pushes away. So one thing is never said twice, and never against the model.

Some families lend: a model that leans on "orders in the last 90 days" or on the closed form
often means the silence behind it. Their sum goes to the first family on the list that has a true
reading in that direction; where there is none, they speak for themselves.
"""

from __future__ import annotations

import fnmatch
import functools
from typing import Literal, NamedTuple

from tiercast.contract.periods import YEAR_DAYS
from tiercast.tiers.facts import Fact

Direction = Literal["risk", "loyalty"]


class Reason(NamedTuple):
    """A code that may be given to a customer of whom every condition in `when` is true."""

    code: str
    when: tuple[Fact, ...] = ()


class Family(NamedTuple):
    """`features` are names or patterns; `lends_*` are the families that may speak for this one."""

    name: str
    features: tuple[str, ...]
    risk: tuple[Reason, ...] = ()
    loyalty: tuple[Reason, ...] = ()
    lends_risk: tuple[str, ...] = ()
    lends_loyalty: tuple[str, ...] = ()


def _contact(kind: str) -> tuple[str, ...]:
    return (f"n_{kind}", f"n_{kind}_*d", f"{kind}_last_days", f"{kind}_score_mean", f"{kind}_minutes")


ONE_ORDER = Fact("n_orders", "==", 1)
TWO_WINDOWS_OLD = Fact("age_days", ">=", 2, of="<w>")
NEVER_ORDERED = Reason("never_ordered", (Fact("n_orders", "==", 0),))

FAMILIES: tuple[Family, ...] = (
    Family(
        "silence",
        ("silence_days", "silence_over_gap"),
        risk=(
            Reason("silent_5x_usual_gap", (Fact("silence_over_gap", ">=", 5),)),
            Reason("silent_3x_usual_gap", (Fact("silence_over_gap", ">=", 3), Fact("silence_over_gap", "<", 5))),
            Reason("silent_2x_usual_gap", (Fact("silence_over_gap", ">=", 2), Fact("silence_over_gap", "<", 3))),
            Reason("past_usual_gap", (Fact("silence_over_gap", ">", 1), Fact("silence_over_gap", "<", 2))),
            Reason("silent_long", (ONE_ORDER, Fact("silence_days", ">=", 90))),
        ),
        loyalty=(
            Reason("ordered_recently", (Fact("silence_days", "<=", 30), Fact("silence_over_gap", "<", 2))),
            Reason("ordered_recently", (Fact("silence_days", "<=", 30), ONE_ORDER)),
            Reason("within_usual_gap", (Fact("silence_over_gap", "<=", 1),)),
        ),
    ),
    Family(
        "frequency",
        ("n_orders", "n_repeat_orders", "gap_mean_days"),
        risk=(
            Reason("one_order_only", (ONE_ORDER,)),
            Reason("rare_buyer", (Fact("n_orders", "<=", 3), Fact("age_days", ">=", 180))),
            Reason("rare_buyer", (Fact("gap_mean_days", ">=", 90),)),
        ),
        loyalty=(Reason("frequent_buyer", (Fact("n_orders", ">=", 6), Fact("gap_mean_days", "<", 90))),),
    ),
    Family(
        "activity",
        ("n_orders_[0-9]*d", "orders_trend_[0-9]*d"),
        risk=(Reason("orders_falling", (Fact("orders_trend_<w>d", "<=", -1), TWO_WINDOWS_OLD)),),
        loyalty=(
            Reason("orders_rising", (Fact("orders_trend_<w>d", ">=", 1), TWO_WINDOWS_OLD)),
            Reason("active_lately", (Fact("n_orders_<w>d", ">=", 2),)),
        ),
        lends_risk=("silence",),
    ),
    Family(
        "spend",
        ("spend_[0-9]*d", "spend_total"),
        risk=(
            Reason(
                "spend_falling",
                (Fact("spend_<w>d", "<=", 0.35, of="spend_<2w>d"), Fact("spend_<2w>d", ">", 0), TWO_WINDOWS_OLD),
            ),
        ),
        loyalty=(
            Reason(
                "spend_rising",
                (Fact("spend_<w>d", ">=", 0.65, of="spend_<2w>d"), Fact("spend_<2w>d", ">", 0), TWO_WINDOWS_OLD),
            ),
        ),
        lends_risk=("silence",),
    ),
    Family(
        "order_value",
        ("order_value_*", "repeat_order_value", "quantity_per_order"),
        risk=(Reason("low_order_value", (Fact("order_value_mean", "<=", 0.67, of="typical"),)),),
        loyalty=(Reason("high_order_value", (Fact("order_value_mean", ">=", 1.5, of="typical"),)),),
    ),
    Family(
        "season",
        ("n_orders_last_year", "spend_last_year"),
        risk=(
            Reason(
                "skipped_this_season_last_year",
                (Fact("n_orders_last_year", "==", 0), Fact("age_days", ">=", YEAR_DAYS)),
            ),
        ),
        loyalty=(Reason("bought_this_season_last_year", (Fact("n_orders_last_year", ">=", 1),)),),
    ),
    Family(
        "regularity",
        ("gap_sd_days", "gap_longest_days", "gap_last_days"),
        risk=(
            Reason("irregular_buyer", (Fact("gap_sd_days", ">=", 1, of="gap_mean_days"), Fact("n_orders", ">=", 4))),
        ),
        loyalty=(
            Reason("regular_buyer", (Fact("gap_sd_days", "<=", 0.5, of="gap_mean_days"), Fact("n_orders", ">=", 4))),
        ),
    ),
    Family(
        "tenure",
        ("age_days", "recency_days", "tenure_days"),
        risk=(Reason("new_customer", (Fact("age_days", "<=", 90),)),),
        loyalty=(Reason("long_standing", (Fact("age_days", ">=", YEAR_DAYS), Fact("n_orders", ">=", 2))),),
    ),
    Family(
        "range",
        ("n_products", "n_categories", "n_channels", "products_per_order", "repeat_product_share"),
        risk=(
            Reason("narrow_range", (Fact("n_products", "<=", 2),)),
            Reason("narrow_range", (Fact("n_categories", "<=", 1),)),
        ),
        loyalty=(
            Reason("broad_range", (Fact("n_products", ">=", 10),)),
            Reason("broad_range", (Fact("n_categories", ">=", 4),)),
        ),
    ),
    Family(
        "refunds",
        ("n_refunds", "refund_share"),
        risk=(Reason("many_refunds", (Fact("n_refunds", ">=", 2),)),),
    ),
    Family(
        "complaints",
        _contact("complaint"),
        risk=(Reason("complained", (Fact("n_complaint", ">=", 1),)),),
    ),
    Family(
        "support",
        _contact("support"),
        risk=(Reason("needed_support", (Fact("n_support", ">=", 1),)),),
    ),
    Family(
        "visits",
        _contact("visit"),
        risk=(Reason("no_recent_visits", (Fact("visit_last_days", ">=", 60),)),),
        loyalty=(Reason("visited_recently", (Fact("visit_last_days", "<=", 30),)),),
    ),
    Family(
        "campaigns",
        _contact("campaign"),
        loyalty=(Reason("campaign_response", (Fact("n_campaign", ">=", 1),)),),
    ),
    Family(
        "voice",
        (*_contact("review"), *_contact("survey"), *_contact("referral")),
        loyalty=(
            Reason("referred_others", (Fact("n_referral", ">=", 1),)),
            Reason("gave_feedback", (Fact("n_review", ">=", 1),)),
            Reason("gave_feedback", (Fact("n_survey", ">=", 1),)),
        ),
    ),
    Family(
        "profile",
        ("attr_*",),
        risk=(Reason("customer_profile_risk"),),
        loyalty=(Reason("customer_profile_loyal"),),
    ),
    Family(
        "pattern",
        ("btyd_*",),
        risk=(Reason("history_pattern_risk"),),
        loyalty=(Reason("history_pattern_loyal"),),
        lends_risk=("silence", "frequency"),
        lends_loyalty=("silence", "frequency"),
    ),
)
POSITION = {family.name: i for i, family in enumerate(FAMILIES)}


@functools.cache
def family_of(feature: str) -> str | None:
    """The family a feature belongs to, None if nobody speaks for it.

    >>> family_of("n_orders_60d"), family_of("n_orders_last_year"), family_of("n_orders"), family_of("zodiac")
    ('activity', 'season', 'frequency', None)
    """
    for family in FAMILIES:
        if any(fnmatch.fnmatchcase(feature, pattern) for pattern in family.features):
            return family.name
    return None


def _readings() -> dict[str, tuple[str, Direction]]:
    found: dict[str, tuple[str, Direction]] = {}
    for family in FAMILIES:
        found.update({reason.code: (family.name, "risk") for reason in family.risk})
        found.update({reason.code: (family.name, "loyalty") for reason in family.loyalty})
    return found


READINGS = _readings()
CODES: tuple[str, ...] = (NEVER_ORDERED.code, *READINGS)
