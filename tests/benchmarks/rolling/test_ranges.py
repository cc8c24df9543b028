"""Three shares by hand, and the naive range."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rolling import ranges
from benchmarks.rolling.against import Forecast
from benchmarks.rolling.ranges import Learned


def test_each_share_asks_only_those_who_were_promised_something() -> None:
    low = np.array([0.0, 0.0, 10.0, 10.0, 0.0])
    high = np.array([0.0, 0.0, 20.0, 20.0, 30.0])
    actual = np.array([0.0, 5.0, 5.0, 15.0, 40.0])
    found = ranges.shares(Forecast(low, low, low, high), actual, (low, high))
    assert [found.above, found.below, found.despite] == pytest.approx([1 / 3, 0.5, 0.5])
    assert (found.n_above, found.n_below, found.n_despite) == (3, 2, 2)
    # widths 0, 0, 10, 10, 30; outside by 5, 5 and 10, which count ten times
    assert found.score == found.naive_score == pytest.approx((50 + 10 * 20) / 5)


def test_the_naive_range_is_that_of_customers_with_as_many_repeat_orders() -> None:
    learned = Learned(np.repeat([0.0, 3.0], 11), np.concatenate([np.zeros(11), np.arange(11.0)]))
    low, high = ranges.naive(learned, np.array([0.0, 3.0])) or (np.zeros(0), np.zeros(0))
    assert low.tolist() == [0.0, 1.0]
    assert high.tolist() == [0.0, 9.0]


def test_nothing_learned_is_no_naive_range() -> None:
    assert ranges.naive(Learned(np.zeros(0), np.zeros(0)), np.zeros(3)) is None
