from __future__ import annotations

import operator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chosen_reasons import TYPICAL, choose, one
from tiercast.contract.vectors import Vector
from tiercast.tiers import conditions, families, grid, reasons, rules

COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}


SILENT = {"n_orders": 8.0, "silence_days": 74.0, "gap_mean_days": 12.0, "silence_over_gap": 74 / 12, "age_days": 400.0}


def test_the_strongest_reason_for_the_verdict_comes_first() -> None:
    pushes = {"silence_over_gap": 0.8, "silence_days": 0.4, "n_refunds": 1.0, "attr_region": 0.1}
    known = {**SILENT, "n_refunds": 3.0}
    # silence 0.8 + 0.4 = 1.2, refunds 1.0, profile 0.1
    assert one(pushes, known, 0.9) == ["silent_5x_usual_gap", "many_refunds", "customer_profile_risk"]


def test_a_notable_reason_against_the_verdict_comes_after_those_for_it() -> None:
    # against: tenure -1.5 of 2.5 in all; for: silence 1.0
    pushes = {"silence_over_gap": 1.0, "age_days": -1.5}
    assert one(pushes, SILENT, 0.9) == ["silent_5x_usual_gap", "long_standing"]
    assert one(pushes, SILENT, 0.1) == ["long_standing", "silent_5x_usual_gap"]


def test_a_slight_reason_against_the_verdict_is_left_out() -> None:
    # tenure -0.19 of 1.19 in all is under a fifth
    assert one({"silence_over_gap": 1.0, "age_days": -0.19}, SILENT, 0.9) == ["silent_5x_usual_gap"]


def test_at_most_three_are_given_and_the_weakest_go() -> None:
    pushes = {"silence_days": 0.5, "n_refunds": 0.4, "n_complaint": 0.3, "attr_region": 0.2}
    known = {**SILENT, "n_refunds": 2.0, "n_complaint": 1.0}
    assert one(pushes, known, 0.9) == ["silent_5x_usual_gap", "many_refunds", "complained"]


def test_what_is_not_true_of_the_customer_is_not_said_however_strong() -> None:
    assert one({"n_refunds": 3.0, "silence_days": 0.1}, {**SILENT, "n_refunds": 1.0}, 0.9) == ["silent_5x_usual_gap"]


def test_what_the_model_does_not_hold_against_the_customer_is_not_said_however_true() -> None:
    assert "many_refunds" not in one({"n_refunds": -0.5, "silence_days": 0.5}, {**SILENT, "n_refunds": 9.0}, 0.9)


def test_a_trifle_says_nothing() -> None:
    known = {"n_orders": 5.0, "n_refunds": 9.0}
    assert one({"n_refunds": 0.019}, known, 0.9) == ["overall_risk"]
    assert one({"n_refunds": 0.02}, known, 0.9) == ["many_refunds"]


@pytest.mark.parametrize(
    ("ratio", "code"),
    [
        (1.0, None),
        (1.01, "past_usual_gap"),
        (2.0, "silent_2x_usual_gap"),
        (2.99, "silent_2x_usual_gap"),
        (3.0, "silent_3x_usual_gap"),
        (5.0, "silent_5x_usual_gap"),
    ],
)
def test_the_silence_codes_meet_at_their_bounds_without_overlap(ratio: float, code: str | None) -> None:
    known = {"n_orders": 4.0, "silence_days": 100.0, "silence_over_gap": ratio}
    assert one({"silence_over_gap": 1.0}, known, 0.9) == [code or "overall_risk"]


def test_the_order_models_contribution_is_explained_by_the_silence_it_sees() -> None:
    assert one({"btyd_p_churn": 1.0}, SILENT, 0.9) == ["silent_5x_usual_gap"]
    assert one({"btyd_p_churn": 1.0}, {"n_orders": 1.0, "silence_days": 40.0}, 0.9) == ["one_order_only"]
    assert one({"btyd_p_churn": 1.0}, {"n_orders": 5.0, "silence_over_gap": 0.5}, 0.9) == ["history_pattern_risk"]


def test_falling_orders_of_a_silent_customer_are_explained_by_silence_only() -> None:
    falling = {"n_orders_90d": 1.0, "orders_trend_90d": -2.0}
    assert one({"orders_trend_90d": 1.0}, {**SILENT, **falling}, 0.9) == ["silent_5x_usual_gap"]
    on_time = {**SILENT, **falling, "silence_over_gap": 0.5}
    assert one({"orders_trend_90d": 1.0}, on_time, 0.9) == ["orders_falling"]


def test_a_trend_needs_two_windows_of_history() -> None:
    rising = {"n_orders": 2.0, "n_orders_90d": 1.0, "orders_trend_90d": 1.0}
    assert one({"orders_trend_90d": -1.0}, {**rising, "age_days": 180.0}, 0.1) == ["orders_rising"]
    assert one({"orders_trend_90d": -1.0}, {**rising, "age_days": 179.0}, 0.1) == ["overall_loyal"]


def test_order_values_are_high_or_low_only_beside_a_typical_one() -> None:
    pushes, known = {"order_value_mean": np.array([-1.0])}, {"order_value_mean": np.array([60.0])}
    assert choose(pushes, known, np.array([0.1])) == [["high_order_value"]]
    assert choose(pushes, known, np.array([0.1]), typical={}) == [["overall_loyal"]]


def test_without_a_reason_from_the_model_a_plain_fact_is_given() -> None:
    assert one({}, {"n_orders": 1.0, "silence_days": 40.0}, 0.9) == ["one_order_only"]
    assert one({}, SILENT, 0.9) == ["silent_5x_usual_gap"]


def test_nobody_is_left_without_a_reason_or_explained_first_by_one_against_their_letter() -> None:
    assert one({}, {"n_orders": 1.0, "silence_days": 40.0}, 0.1) == ["overall_loyal"]
    assert one({}, {"n_orders": 4.0}, 0.9) == ["overall_risk"]
    assert one({"age_days": -1.5}, SILENT | {"silence_over_gap": 0.5}, 0.9) == ["overall_risk", "long_standing"]


def test_the_inactive_have_their_silence_first_whatever_the_contributions_say() -> None:
    pushes = {"frequency": np.array([-2.0, -2.0]), "silence": np.array([-0.5, 0.4]), "refunds": np.array([0.1, 0.9])}
    known = {"n_orders": [9.0, 9.0], "gap_mean_days": [40.0, 40.0], "n_refunds": [0.0, 2.0]}
    known |= {"silence_days": [300.0, 300.0], "silence_over_gap": [0.9, 6.0]}
    features = {name: np.array(column) for name, column in known.items()}
    tiers, none = grid.numbers(np.array(["E", "E"])), np.full(2, rules.NONE, np.int16)
    found = reasons.choose(pushes, features, tiers, none, typical={"inactive_days": 228.0})
    assert reasons.as_lists(found).to_pylist() == [
        ["silent_past_limit", "frequent_buyer"],
        ["silent_5x_usual_gap", "many_refunds", "frequent_buyer"],
    ]


def test_the_reason_for_the_value_comes_second() -> None:
    pushes, known = {"silence": np.array([1.2]), "refunds": np.array([1.0]), "complaints": np.array([0.9])}, SILENT
    features = {name: np.array([x]) for name, x in {**known, "n_refunds": 3.0, "n_complaint": 1.0}.items()}
    value_reasons = np.array([rules.CODE["high_value_large_orders"]], np.int16)
    found = reasons.choose(pushes, features, grid.numbers(np.array(["B"])), value_reasons, typical={})
    assert reasons.as_lists(found).to_pylist() == [["silent_5x_usual_gap", "high_value_large_orders", "many_refunds"]]


def test_a_plain_fact_is_not_given_where_the_model_contradicts_it() -> None:
    assert one({"silence_over_gap": -0.3}, {"n_orders": 4.0, "silence_over_gap": 6.0}, 0.9) == ["overall_risk"]


def test_prospects_have_never_ordered_and_no_other_reason() -> None:
    assert one({"attr_region": 2.0}, {"n_orders": 0.0}, float("nan")) == ["never_ordered"]


def test_the_verdict_follows_the_cut_of_the_grid() -> None:
    pushes = {name: np.array([x]) for name, x in {"silence_over_gap": 1.0, "age_days": -1.5}.items()}
    known = {name: np.array([x]) for name, x in SILENT.items()}
    found = choose(pushes, known, np.array([0.6]), cut=0.7)
    assert found == [["long_standing", "silent_5x_usual_gap"]]


def test_features_without_a_family_are_ignored() -> None:
    assert one({"zodiac": 9.0, "silence_over_gap": 0.1}, SILENT, 0.9) == ["silent_5x_usual_gap"]


CONTRIBUTIONS = [
    "silence_days",
    "n_orders",
    "gap_mean_days",
    "orders_trend_90d",
    "spend_90d",
    "order_value_mean",
    "n_orders_last_year",
    "gap_sd_days",
    "age_days",
    "n_products",
    "n_refunds",
    "n_complaint",
    "visit_last_days",
    "attr_region",
    "btyd_p_churn",
]
FACTS = [
    "n_orders",
    "silence_days",
    "silence_over_gap",
    "gap_mean_days",
    "gap_sd_days",
    "age_days",
    "n_orders_90d",
    "orders_trend_90d",
    "spend_90d",
    "spend_180d",
    "order_value_mean",
    "n_orders_last_year",
    "n_products",
    "n_refunds",
    "n_complaint",
    "visit_last_days",
]
push = st.sampled_from([-2.0, -0.5, -0.1, -0.01, 0.0, 0.01, 0.1, 0.5, 2.0])
number = st.sampled_from([float("nan"), -1.0, 0.0, 1.0, 2.5, 6.0, 45.0, 91.0, 400.0])
customer = st.fixed_dictionaries(
    {"push": st.tuples(*[push] * len(CONTRIBUTIONS)), "fact": st.tuples(*[number] * len(FACTS)), "p": st.floats(0, 1)}
)
Customer = dict[str, tuple[float, ...]]


def columns(names: list[str], rows: list[tuple[float, ...]]) -> dict[str, Vector]:
    return dict(zip(names, np.array(rows, dtype=np.float64).T, strict=True))


def chosen(customers: list[Customer]) -> list[list[str]]:
    pushes, known = (
        columns(CONTRIBUTIONS, [c["push"] for c in customers]),
        columns(FACTS, [c["fact"] for c in customers]),
    )
    return choose(pushes, known, as_p_churn(customers))


def as_p_churn(customers: list[Customer]) -> Vector:
    return np.array([c["p"] for c in customers], dtype=np.float64)


def is_true(code: str, known: dict[str, float]) -> bool:
    """The rules of a code, read for one customer without any array."""
    rules = [r for f in families.FAMILIES for r in (*f.risk, *f.loyalty) if r.code == code]
    return any(all(holds(fact, known) for fact in rule.when) for rule in rules)


def holds(fact: conditions.Condition, known: dict[str, float]) -> bool:
    feature = conditions.in_window(fact.feature, 90)
    scales = {"": 1.0, "<w>": 90.0, "typical": TYPICAL.get(feature, np.nan)}
    scale = scales[fact.times] if fact.times in scales else known.get(conditions.in_window(fact.times, 90), np.nan)
    return bool(COMPARE[fact.op](known.get(feature, np.nan), fact.bound * scale))


def backing(code: str, pushes: dict[str, float]) -> float:
    """The contributions in a code's direction: its family's sum, and those of families that it may explain."""
    name, way = families.BY_CODE[code]
    sign = 1 if way == "risk" else -1
    sums = dict.fromkeys(families.NAMES, 0.0)
    for feature, x in pushes.items():
        sums[families.family_of(feature) or ""] += sign * x
    explained = [
        f.name for f in families.FAMILIES if name in (f.risk_explained_by if way == "risk" else f.loyalty_explained_by)
    ]
    return sums[name] + sum(max(0.0, sums[other]) for other in explained)


@given(st.lists(customer, min_size=1, max_size=8))
def test_every_reason_is_true_and_never_against_its_own_contributions(customers: list[Customer]) -> None:
    for row, codes in zip(customers, chosen(customers), strict=True):
        known = dict(zip(FACTS, row["fact"], strict=True))
        pushes = dict(zip(CONTRIBUTIONS, row["push"], strict=True))
        for code in codes:
            if code == "never_ordered":
                assert known["n_orders"] == 0
                continue
            if code in families.OVERALL.values():
                assert code == codes[0]
                continue
            assert is_true(code, known), (code, known)
            is_plain_fact = code == codes[0] and families.BY_CODE[code][0] in reasons.FALLBACKS
            assert backing(code, pushes) >= (-1e-12 if is_plain_fact else reasons.LEAST_CONTRIBUTION - 1e-12)


@given(st.lists(customer, min_size=1, max_size=8))
def test_the_first_reason_speaks_for_the_letter(customers: list[Customer]) -> None:
    for row, codes in zip(customers, chosen(customers), strict=True):
        if codes[0] != "never_ordered":
            assert families.BY_CODE[codes[0]][1] == ("risk" if as_p_churn([row])[0] > 0.5 else "loyalty")


@given(st.lists(customer, min_size=1, max_size=8))
def test_nobody_has_more_than_three_reasons_or_two_about_the_same_thing(customers: list[Customer]) -> None:
    for codes in chosen(customers):
        about = [families.BY_CODE[code][0] for code in codes if code != "never_ordered"]
        assert len(codes) <= 3
        assert len(set(codes)) == len(codes)
        assert len(set(about)) == len(about)
        assert sum(code.startswith("silent_") for code in codes) <= 1


@given(st.lists(customer, min_size=1, max_size=6))
def test_a_customers_reasons_do_not_depend_on_who_else_is_scored(customers: list[Customer]) -> None:
    assert chosen(customers) == [chosen([alone])[0] for alone in customers]


def test_working_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(7)
    pushes = {name: draw.normal(size=500) for name in CONTRIBUTIONS}
    known = {name: draw.integers(0, 200, 500).astype(np.float64) for name in FACTS}
    risk = draw.random(500)
    whole = choose(pushes, known, risk, typical={})
    monkeypatch.setattr(reasons, "_BLOCK", 37)
    assert choose(pushes, known, risk, typical={}) == whole


def test_nobody_gives_an_empty_list_of_the_contract_type() -> None:
    nobody = np.array([], np.int16)
    codes = reasons.choose({}, {"n_orders": np.array([])}, nobody.astype(np.intp), nobody, typical={})
    found = reasons.as_lists(codes)
    assert len(found) == 0
    assert found.type == pa.list_(pa.string())


def test_the_window_nearest_to_ninety_days_is_the_one_spoken_of() -> None:
    known = {"n_orders": 5.0, "n_orders_28d": 0.0, "n_orders_84d": 3.0}
    assert one({"n_orders_84d": -1.0}, known, 0.1) == ["active_lately"]
