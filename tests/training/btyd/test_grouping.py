"""Grouping loses nothing: equal customers counted once give the same sums."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tiercast.training.btyd import grouping

whole = st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 9))
rows_of_whole_numbers = st.lists(whole, min_size=1, max_size=60)


@given(rows_of_whole_numbers, st.sampled_from([1.0, 1 / 7]))
def test_every_row_is_counted_once_in_ascending_order(rows: list[tuple[int, ...]], unit: float) -> None:
    columns = tuple(np.array(column) * unit for column in zip(*rows, strict=True))
    grouped = grouping.group(columns)
    seen = list(zip(*(np.round(column / unit).astype(int).tolist() for column in grouped.columns), strict=True))
    assert dict(zip(seen, grouped.weight.tolist(), strict=True)) == Counter(rows)
    assert seen == sorted(set(rows))


@given(rows_of_whole_numbers, st.sampled_from([1.0, 1 / 7]))
def test_weights_of_equal_rows_add_up(rows: list[tuple[int, ...]], unit: float) -> None:
    columns = tuple(np.array(column) * unit for column in zip(*rows, strict=True))
    twice = grouping.group(columns, np.full(len(rows), 2.0))
    assert twice.weight.tolist() == (2.0 * grouping.group(columns).weight).tolist()


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 9)), min_size=1, max_size=30))
def test_totals_are_the_same_for_whole_and_broken_numbers(rows: list[tuple[float, int]]) -> None:
    column, amount = np.floor([value for value, _ in rows]), np.array([float(n) for _, n in rows])
    values, (total,) = grouping.total_by(column, (amount,))
    broken, (same_total,) = grouping.total_by(column + 0.5, (amount,))
    assert values.tolist() == (broken - 0.5).tolist()
    assert total.tolist() == same_total.tolist()
