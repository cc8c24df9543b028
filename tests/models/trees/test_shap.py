"""Shapley values by their definition: every set of features, every order, no polynomial."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.models.trees import shap, subtrees
from tiercast.models.trees.subtrees import Leaf, Subtree
from tiercast.models.trees.text_format import Split, Tree


def split(feature: int) -> Split:
    return Split(feature, 0.5, None, "none", default_left=False)


def by_definition(o: tuple[int, ...], z: tuple[float, ...], f: int) -> float:
    """The mean over all orders of what feature f adds to those before it, in the game of one leaf of value 1."""

    def worth(known: set[int]) -> float:
        return math.prod(o[j] if j in known else z[j] for j in range(len(z)))

    orders = list(itertools.permutations(range(len(z))))
    befores = [set(order[: order.index(f)]) for order in orders]
    return sum(worth(before | {f}) - worth(before) for before in befores) / len(orders)


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=4))
def test_a_leafs_values_are_the_mean_over_all_orders_of_its_features(z: list[float]) -> None:
    found = shap.shapley_values(np.array([z]))[0]
    for combination in range(2 ** len(z)):
        o = tuple(combination >> j & 1 for j in range(len(z)))
        expected = [by_definition(o, tuple(z), f) for f in range(len(z))]
        assert found[:, combination] == pytest.approx(expected, abs=1e-14)


def test_the_lengths_weights_sum_to_one_order() -> None:
    # every S of size s without f: choose(d - 1, s) of them
    for d in range(1, 10):
        total = sum(math.comb(d - 1, s) * weight for s, weight in enumerate(shap.weights(d)))
        assert total == pytest.approx(1.0)


#        0: feature 0
#       /            \
#   leaf 0 (60)    1: feature 1 (40)
#                  /          \
#            leaf 1 (10)   leaf 2 (30)
HAND = Tree((split(0), split(1)), (-1, -2), (1, -3), (100, 40), (1.0, 2.0, 6.0), (60, 10, 30))


def test_a_small_tree_is_as_worked_out_by_hand() -> None:
    # E = 0.6 * 1 + 0.1 * 2 + 0.3 * 6 = 2.6;  given right at 0: 0.25 * 2 + 0.75 * 6 = 5
    # given right at 1 only: 0.6 * 1 + 0.4 * 6 = 3;  given both right: 6
    # feature 0: ((5 - 2.6) + (6 - 3)) / 2 = 2.7;  feature 1: ((3 - 2.6) + (6 - 5)) / 2 = 0.7
    (table,) = shap.tables(subtrees.cut(HAND))
    assert table.features == (0, 1)
    assert table.values[:, 0b11] == pytest.approx([2.7, 0.7])
    # left at 0: 1 whatever 1 says;  given left at 0: 1, given right at 1: 3
    # feature 0: ((1 - 2.6) + (1 - 3)) / 2 = -1.8;  feature 1: ((3 - 2.6) + (1 - 1)) / 2 = 0.2
    assert table.values[:, 0b10] == pytest.approx([-1.8, 0.2])
    assert HAND.mean == pytest.approx(2.6)


def test_smaller_subtrees_contribute_the_same_together() -> None:
    whole = subtrees.cut(HAND)
    parts = [Subtree({0: HAND.splits[0]}, leaves(0)), Subtree(dict(enumerate(HAND.splits)), leaves(1, 2))]
    for code in range(4):
        assert total(whole, code) == pytest.approx(total(parts, code))


def leaves(*which: int) -> tuple[Leaf, ...]:
    (subtree,) = subtrees.cut(HAND)
    return tuple(subtree.leaves[k] for k in which)


def total(parts: list[Subtree], code: int) -> list[float]:
    sums = [0.0, 0.0]
    for subtree, table in zip(parts, shap.tables(parts), strict=True):
        own = sum((code >> split & 1) << k for k, split in enumerate(subtree.splits))
        for feature, values in zip(table.features, table.values, strict=True):
            sums[feature] += values[own]
    return sums
