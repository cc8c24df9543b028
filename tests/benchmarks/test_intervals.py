from __future__ import annotations

import numpy as np

from benchmarks import intervals
from benchmarks.intervals import Learned

# Nobody with one repeat order brought nothing; of those with none, eight in ten did.
LEARNED = Learned(
    repeats=np.repeat([0.0, 1.0], 10),
    actual=np.array([0.0] * 8 + [5.0, 9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]),
)


def test_the_naive_interval_is_central_or_starts_at_zero_per_number_of_orders() -> None:
    """Of (1, ..., 10) the 10 % quantile is 1.9, the 90 % one above 9.1 is 10; of the others, 80 % end at the 5."""
    low, high = intervals.naive(LEARNED, np.array([0.0, 1.0]), 0.8)
    assert low.tolist() == [0.0, 1.9]
    assert high.tolist() == [5.0, 10.0]


def test_who_has_no_like_takes_the_interval_of_all() -> None:
    low, high = intervals.naive(LEARNED, np.array([3.0, 30.0]), 0.8)
    assert low.tolist() == [0.0, 0.0]
    assert high.tolist() == [np.quantile(LEARNED.actual, 0.8, method="higher")] * 2


def test_what_is_out_of_bounds_is_bold() -> None:
    assert intervals._held(0.851) == "**0.851**"
    assert intervals._held(0.75) == "0.750"
    assert intervals._held(None) == "–"
