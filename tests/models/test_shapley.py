"""Shapley values by their definition: every set of features, every order, no polynomial."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.models import shapley
from tiercast.models.forest import Split, Tree


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
    found = shapley.of_paths(np.array([z]))[0]
    for combination in range(2 ** len(z)):
        o = tuple(combination >> j & 1 for j in range(len(z)))
        expected = [by_definition(o, tuple(z), f) for f in range(len(z))]
        assert found[:, combination] == pytest.approx(expected, abs=1e-14)


def test_the_lengths_weights_sum_to_one_order() -> None:
    # every S of size s without f: choose(d - 1, s) of them
    for d in range(1, 10):
        total = sum(math.comb(d - 1, s) * weight for s, weight in enumerate(shapley.weights(d)))
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
    (table,) = shapley.tables([(HAND, piece) for piece in shapley.cut(HAND)])
    assert table.features == (0, 1)
    assert table.shares[:, 0b11] == pytest.approx([2.7, 0.7])
    # left at 0: 1 whatever 1 says;  given left at 0: 1, given right at 1: 3
    # feature 0: ((1 - 2.6) + (1 - 3)) / 2 = -1.8;  feature 1: ((3 - 2.6) + (1 - 1)) / 2 = 0.2
    assert table.shares[:, 0b10] == pytest.approx([-1.8, 0.2])
    assert HAND.mean == pytest.approx(2.6)


def test_smaller_pieces_of_a_tree_say_the_same_together() -> None:
    whole, pieces = (
        [(table, piece) for piece, table in zip(cut, shapley.tables([(HAND, p) for p in cut]), strict=True)]
        for cut in (shapley.cut(HAND), [shapley.Piece((0,), leaves(0)), shapley.Piece((0, 1), leaves(1, 2))])
    )
    for pattern in range(4):
        assert total(whole, pattern) == pytest.approx(total(pieces, pattern))


def leaves(*which: int) -> tuple[shapley.Leaf, ...]:
    (piece,) = shapley.cut(HAND)
    return tuple(piece.leaves[k] for k in which)


def total(tables: list[tuple[shapley.Table, shapley.Piece]], pattern: int) -> list[float]:
    sums = [0.0, 0.0]
    for table, piece in tables:
        own = sum((pattern >> split & 1) << k for k, split in enumerate(piece.splits))
        for feature, shares in zip(table.features, table.shares, strict=True):
            sums[feature] += shares[own]
    return sums


def test_a_tree_is_cut_so_that_every_leaf_is_in_one_piece_of_bounded_size() -> None:
    chain = Tree(
        tuple(split(k) for k in range(6)),
        (-1, -2, -3, -4, -5, -6),
        (1, 2, 3, 4, 5, -7),
        (70, 60, 50, 40, 30, 20),
        tuple(float(k) for k in range(7)),
        (10,) * 7,
    )
    pieces = shapley.cut(chain, most=6)
    assert len(pieces) == 1
    with pytest.raises(ValueError, match="longer than 4"):
        shapley.cut(chain, most=4)
    bushy = Tree(
        tuple(split(k) for k in range(7)),
        (1, 3, 5, -1, -3, -5, -7),
        (2, 4, 6, -2, -4, -6, -8),
        (80, 40, 40, 20, 20, 20, 20),
        tuple(float(k) for k in range(8)),
        (10,) * 8,
    )
    pieces = shapley.cut(bushy, most=4)
    assert [len(piece.splits) for piece in pieces] == [4, 4]
    assert sorted(leaf.value for piece in pieces for leaf in piece.leaves) == list(bushy.values)
    assert all(len(piece.splits) <= 4 for piece in pieces)
