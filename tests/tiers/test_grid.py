from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.contract import errors
from tiercast.tiers import grid

Customer = tuple[float, float, float, float]
CUTS = grid.Cuts(value=100.0, p_churn=0.5, inactive_days=365.0)


def letters(*customers: Customer, cuts: grid.Cuts = CUTS) -> str:
    """The tiers of customers given as (p_churn, value, silence_days, n_orders), as one word."""
    p_churn, value, silence, orders = np.array(customers, dtype=np.float64).T
    return "".join(grid.assign(p_churn, value, silence, orders, cuts))


def test_each_corner_of_the_grid_has_its_letter() -> None:
    assert letters((0.1, 500, 10, 9), (0.9, 500, 10, 9), (0.1, 5, 10, 9), (0.9, 5, 10, 9)) == "ABCD"


def test_exactly_at_the_value_cut_is_high_and_just_below_is_low() -> None:
    assert letters((0.1, 100.0, 10, 9), (0.1, np.nextafter(100.0, 0), 10, 9)) == "AC"


def test_exactly_at_the_churn_cut_is_loyal_and_just_above_is_not() -> None:
    assert letters((0.5, 500, 10, 9), (np.nextafter(0.5, 1), 500, 10, 9)) == "AB"


def test_a_cell_is_cut_half_open_by_one_cut_for_all_or_one_per_customer() -> None:
    p_churn, value = np.array([0.5, 0.5, 0.51]), np.array([100.0, 99.9, 100.0])
    assert grid.cell(p_churn, value, 0.5, 100.0).tolist() == [0, 2, 1]
    assert grid.cell(p_churn, value, np.array([0.5, 0.4, 0.6]), np.array([101.0, 99.0, 100.0])).tolist() == [2, 1, 0]


def test_exactly_at_the_day_limit_is_inactive_whatever_the_models_say() -> None:
    assert letters((0.0, 9e9, 365, 9), (0.0, 9e9, 364, 9)) == "EA"


def test_without_a_day_limit_nobody_is_inactive() -> None:
    assert letters((0.9, 5, 9_999, 1), cuts=CUTS._replace(inactive_days=None)) == "D"


def test_who_never_ordered_is_a_prospect_and_needs_no_numbers() -> None:
    nan = float("nan")
    assert letters((nan, nan, nan, 0), (nan, nan, nan, nan)) == "FF"


def test_an_active_customer_without_a_risk_is_refused_not_guessed() -> None:
    nan = float("nan")
    with pytest.raises(errors.BadInput, match="1 of 2 active customers") as caught:
        letters((0.1, 500, 10, 9), (nan, 500, 10, 9), (nan, nan, nan, 0))
    assert caught.value.first == "row 1, p_churn nan, value 500"


one = st.tuples(st.floats(0, 1), st.floats(-50, 1_000), st.integers(1, 900), st.integers(0, 50))


@given(st.lists(one, min_size=1, max_size=20), one)
def test_nobody_moves_because_another_customer_came(before: list[Customer], other: Customer) -> None:
    assert letters(*before, other)[:-1] == letters(*before)


def test_status_says_who_was_scored() -> None:
    assert grid.status(np.array(list("ABCDEF"))).tolist() == ["scored"] * 4 + ["inactive", "prospect"]


def test_the_summary_adds_up_to_a_hand_calculation() -> None:
    tiers = np.array(["A", "B", "B", "F"])
    rows = grid.summarise(tiers, np.array([300.0, 100.0, 200.0, np.nan]), np.array([0.1, 0.6, 0.8, np.nan]))
    by_tier = {row.tier: row for row in rows}
    assert [row.tier for row in rows] == list("ABCDEF")
    b = by_tier["B"]  # at risk: .6 x 100 + .8 x 200 = 220
    assert (b.customers, b.share, b.value_total, b.value_mean) == (2, 0.5, 300.0, 150.0)
    assert b.p_churn_mean == pytest.approx(0.7)
    assert b.value_at_risk == pytest.approx(220.0)


def test_prospects_have_no_value_in_the_summary_and_not_a_zero() -> None:
    prospects = grid.summarise(np.array(["F"]), np.array([np.nan]), np.array([np.nan]))[5]
    assert prospects == grid.TierSummary("F", 1, 1.0, None, None, None, None)


def test_a_base_without_customers_has_six_empty_rows() -> None:
    empty = np.array([], dtype=np.float64)
    assert [row.customers for row in grid.summarise(np.array([], dtype="<U1"), empty, empty)] == [0] * 6


BANDS = CUTS._replace(value_band=0.2, p_churn_band=0.1)


def held(before: str, *customers: Customer, cuts: grid.Cuts = BANDS) -> str:
    """The tiers kept after looking at those of last time."""
    p_churn, value, silence, orders = np.array(customers, dtype=np.float64).T
    raw = grid.assign(p_churn, value, silence, orders, cuts)
    return "".join(grid.hold(raw, np.array([letter.strip() for letter in before]), p_churn, value, cuts))


def test_a_customer_inside_the_bands_keeps_last_times_letter() -> None:
    near = (0.45, 105.0, 10, 9)
    assert letters(near) == "A"
    assert held("ABCD", near, near, near, near) == "ABCD"


def test_a_customer_beyond_the_bands_gets_the_new_letter_whatever_the_last_one_was() -> None:
    assert held("ABCD", *[(0.3, 200.0, 10, 9)] * 4) == "AAAA"
    assert held("ABCD", *[(0.7, 50.0, 10, 9)] * 4) == "DDDD"


def test_the_bands_are_left_at_their_ends() -> None:
    assert held("A", (0.1, 80.0, 10, 9)) == "A"  # 100 x (1 - 0.2) is still high for who was high
    assert held("A", (0.1, np.nextafter(80.0, 0), 10, 9)) == "C"
    assert held("C", (0.1, 120.0, 10, 9)) == "A"
    assert held("C", (0.1, np.nextafter(120.0, 0), 10, 9)) == "C"


def test_inactive_customers_prospects_and_newcomers_are_graded_as_ever() -> None:
    rows = [(0.45, 105.0, 400, 9), (np.nan, np.nan, np.nan, 0), (0.45, 105.0, 10, 9), (0.45, 105.0, 10, 9)]
    assert held("BBEF", *rows) == "EFAA"
    assert held(" ", (0.45, 105.0, 10, 9)) == "A"


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e4)), min_size=3, max_size=3),
    st.sampled_from("ABCD"),
)
def test_without_bands_the_last_letter_does_not_matter(customers: list[tuple[float, float]], before: str) -> None:
    rows = [(p, v, 10.0, 9.0) for p, v in customers]
    assert held(before * 3, *rows, cuts=CUTS) == letters(*rows)
