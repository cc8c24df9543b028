from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.training.evaluation import stability
from tiercast.training.evaluation.stability import Share, Tiers

HISTORIES = st.lists(st.text(alphabet=["A", "B", "C", "D", "E", "F", "-"], min_size=4, max_size=4), min_size=1)


def table(*histories: str) -> Tiers:
    """One customer per text, one letter per date; "-" where the customer was not scored."""
    return np.array([["" if letter == "-" else letter for letter in each] for each in histories])


def test_a_tier_that_comes_back_is_a_flip_and_one_that_goes_on_is_not() -> None:
    assert stability.flip_back(table("ABA")).value == 1.0
    assert stability.flip_back(table("ABC")).value == 0.0
    assert stability.flip_back(table("AAA")).value == 0.0
    assert stability.flip_back(table("ABAB")).times.tolist() == [2.0], "each three counts"


def test_who_was_not_scored_on_all_three_has_no_chance_to_flip() -> None:
    assert stability.flip_back(table("A-A", "-BB", "ABA", "DDD")).value == 1 / 2


@given(HISTORIES)
def test_flips_and_moves_are_those_counted_one_by_one(histories: list[str]) -> None:
    threes = [each[at : at + 3] for each in histories for at in range(2) if "-" not in each[at : at + 3]]
    twos = [each[at : at + 2] for each in histories for at in range(3) if "-" not in each[at : at + 2]]
    flips = [one for one in threes if one[0] == one[2] != one[1]]
    moves = [one for one in twos if one[0] != one[1]]
    tiers = table(*histories)
    for share, happened, could in ((stability.flip_back(tiers), flips, threes), (stability.moved(tiers), moves, twos)):
        assert (share.times.sum(), share.chances.sum()) == (len(happened), len(could))


def test_captured_value_is_that_of_a_and_b_where_the_outcome_is_known() -> None:
    tiers = table("AD", "BB", "CC")
    actual = np.array([[100.0, 50.0], [20.0, np.nan], [30.0, 0.0]])
    assert stability.captured(tiers, actual).value == 120 / 200
    assert stability.crowd(tiers, actual).value == 2 / 5


def test_two_dates_are_too_few_to_flip() -> None:
    assert math.isnan(stability.flip_back(table("AB", "BA")).value)
    assert all(math.isnan(number) for number in stability.flip_back(table("AB", "BA")).metric())


def test_the_interval_of_a_share_is_as_wide_as_the_binomial_law_says() -> None:
    """300 of 1,000: 1.96 * sqrt(0.3 * 0.7 / 1000) = 0.0284 on each side."""
    share = Share(np.repeat([1.0, 0.0], [300, 700]), np.ones(1000))
    value, low, high = share.metric(draws=2000)
    assert value == 0.3
    assert (value - low, high - value) == pytest.approx((0.0284, 0.0284), rel=0.1)
