from __future__ import annotations

import fnmatch

import pytest

from tiercast.tiers import facts, families

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
KNOWN = [*FEATURES, *WINDOWED, *CONTACT]


def owners(feature: str) -> list[str]:
    return [f.name for f in families.FAMILIES if any(fnmatch.fnmatchcase(feature, p) for p in f.features)]


@pytest.mark.parametrize("feature", KNOWN)
def test_every_feature_is_spoken_for_by_exactly_one_family(feature: str) -> None:
    assert owners(feature) == [families.family_of(feature)]


def test_every_rule_asks_about_features_that_exist() -> None:
    rules = [r for f in families.FAMILIES for r in (*f.risk, *f.loyalty)] + [families.NEVER_ORDERED]
    asked = {name for rule in rules for fact in rule.when for name in (fact.feature, fact.of)}
    assert {facts.in_window(name, 90) for name in asked} - {"", "typical", "90"} <= set(KNOWN)


def test_a_code_pushes_one_way_and_belongs_to_one_family() -> None:
    said = {(r.code, f.name, way) for f in families.FAMILIES for way in ("risk", "loyalty") for r in getattr(f, way)}
    assert len(said) == len(families.READINGS) == len(families.CODES) - 1


def test_a_family_lends_only_to_those_that_lend_nothing_themselves() -> None:
    lenders = {family.name for family in families.FAMILIES if family.lends_risk or family.lends_loyalty}
    borrowers = {to for family in families.FAMILIES for to in (*family.lends_risk, *family.lends_loyalty)}
    assert borrowers <= set(families.POSITION)
    assert not lenders & borrowers
