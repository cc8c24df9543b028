from __future__ import annotations

import math

import numpy as np
import pytest

from tiercast.training.evaluation import outcomes, ranges


def test_three_shares_are_counted_among_those_to_whom_something_was_promised() -> None:
    low, high = np.array([0.0, 0.0, 0.0, 2.0, 2.0]), np.array([0.0, 0.0, 9.0, 9.0, 9.0])
    found = ranges.shares(low, high, np.array([0.0, 1.0, 10.0, 1.0, 5.0]))
    assert (found.above, found.below, found.despite) == pytest.approx((1 / 3, 0.5, 0.5))
    assert (found.n_above, found.n_below, found.n_despite, found.n_customers) == (3, 2, 2, 5)
    assert found.mean_width == pytest.approx((9 + 7 + 7) / 5)


def test_the_ends_belong_to_the_range_and_groups_have_shares_of_their_own() -> None:
    low, high = np.array([0.0, 0.0, 5.0, 5.0]), np.array([10.0, 10.0, 6.0, 6.0])
    card = ranges.card(low, high, np.array([10.0, 11.0, 5.0, 5.5]), np.array(["A", "A", "D", "D"]))
    assert (card.overall.above, card.overall.below, card.overall.despite) == (0.25, 0.0, None)
    assert card.by_group["A"] == (2, 10.0, 0.5, None, None, 2, 0, 0)
    assert card.by_group["D"] == (2, 1.0, 0.0, 0.0, None, 2, 2, 0)


def test_ranges_of_the_true_law_have_a_tenth_beyond_each_end() -> None:
    drawn = np.random.default_rng(0).normal(10.0, 1.0, size=20_000)
    found = ranges.shares(np.full(20_000, 10 - 1.2816), np.full(20_000, 10 + 1.2816), drawn)
    assert (found.above, found.below) == pytest.approx((0.1, 0.1), abs=0.01)


def test_the_distance_is_that_of_the_share_from_ten_percent() -> None:
    low, high, actual = np.zeros(4), np.array([1.0, 1.0, 1.0, 0.0]), np.array([2.0, 0.5, 0.0, 0.0])
    distances = [
        ranges.distance(outcomes.pair(ranges.outside(name, low, high, actual), actual)) for name in ranges.SHARES
    ]
    assert distances[0] == pytest.approx(1 / 3 - 0.1)
    assert math.isnan(distances[1]), "nobody has a floor"
    assert distances[2] == pytest.approx(0.1)


def test_a_share_of_nobody_has_no_interval() -> None:
    assert all(math.isnan(number) for number in ranges.share_with_interval(None, 0))
    assert ranges.share_with_interval(0.5, 100) == pytest.approx((0.5, 0.4038, 0.5962), abs=1e-4)
