from __future__ import annotations

import fnmatch

import pytest

from tiercast.tiers import conditions, families

FEATURES = [
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
    "n_orders_last_year",
    "spend_last_year",
    "n_products",
    "products_per_order",
    "repeat_product_share",
    "n_categories",
    "n_channels",
    "quantity_per_order",
    "tenure_days",
    "attr_age",
    "attr_region",
    "btyd_p_alive",
    "btyd_expected_orders",
    "btyd_p_churn",
    "btyd_value",
]
WINDOWED = [f"{what}_{days}d" for what in ("n_orders", "spend", "orders_trend") for days in (30, 60, 90, 180, 365)]
KINDS = ("visit", "support", "complaint", "review", "referral", "survey", "campaign")
CONTACT = [n for k in KINDS for n in (f"n_{k}", f"n_{k}_90d", f"{k}_last_days", f"{k}_score_mean", f"{k}_minutes")]
OF_BUNDLE = ("churn_days", "inactive_days")
KNOWN = [*FEATURES, *WINDOWED, *CONTACT]


def owners(feature: str) -> list[str]:
    return [f.name for f in families.FAMILIES if any(fnmatch.fnmatchcase(feature, p) for p in f.features)]


@pytest.mark.parametrize("feature", KNOWN)
def test_every_feature_belongs_to_exactly_one_family(feature: str) -> None:
    assert owners(feature) == [families.family_of(feature)]


def test_every_condition_reads_features_that_exist() -> None:
    reasons = [r for f in families.FAMILIES for r in (*f.risk, *f.loyalty)] + [families.NEVER_ORDERED]
    read = {name for reason in reasons for one in reason.when for name in (one.feature, one.times)}
    assert {conditions.in_window(name, 90) for name in read} - {"", "typical", "90", *OF_BUNDLE} <= set(KNOWN)


def test_a_code_has_one_direction_and_belongs_to_one_family() -> None:
    given = {(r.code, f.name, way) for f in families.FAMILIES for way in ("risk", "loyalty") for r in getattr(f, way)}
    others = {*families.OVERALL.values(), *families.HIGH_VALUE, *families.LOW_VALUE, families.ONE_ORDER_SO_FAR}
    assert len(given) + len(others) == len(families.BY_CODE) == len(families.CODES) - 1


def test_the_families_that_explain_others_need_no_explanation_themselves() -> None:
    explained = {family.name for family in families.FAMILIES if family.risk_explained_by or family.loyalty_explained_by}
    others = {to for family in families.FAMILIES for to in (*family.risk_explained_by, *family.loyalty_explained_by)}
    assert others <= set(families.NAMES)
    assert not explained & others
