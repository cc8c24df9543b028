"""The naive range and the score of a range, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rolling import naive_range
from benchmarks.rolling.naive_range import Learned


def test_the_score_is_the_width_and_ten_times_what_lies_outside() -> None:
    low = np.array([0.0, 0.0, 10.0, 10.0, 0.0])
    high = np.array([0.0, 0.0, 20.0, 20.0, 30.0])
    score = naive_range.interval_score(low, high, np.array([0.0, 5.0, 5.0, 15.0, 40.0]))
    # widths 0, 0, 10, 10, 30; outside by 5, 5 and 10
    assert score.tolist() == pytest.approx([0, 50, 60, 10, 130])


def test_the_naive_range_is_that_of_customers_with_as_many_repeat_orders() -> None:
    learned = Learned(np.repeat([0.0, 3.0], 11), np.concatenate([np.zeros(11), np.arange(11.0)]))
    low, high = naive_range.naive(learned, np.array([0.0, 3.0])) or (np.zeros(0), np.zeros(0))
    assert low.tolist() == [0.0, 1.0]
    assert high.tolist() == [0.0, 9.0]


def test_who_has_no_like_takes_the_range_of_all() -> None:
    learned = Learned(np.zeros(11), np.arange(11.0))
    low, high = naive_range.naive(learned, np.array([3.0, 30.0])) or (np.zeros(0), np.zeros(0))
    assert low.tolist() == [1.0, 1.0]
    assert high.tolist() == [9.0, 9.0]


def test_nothing_learned_is_no_naive_range() -> None:
    assert naive_range.naive(Learned(np.zeros(0), np.zeros(0)), np.zeros(3)) is None
