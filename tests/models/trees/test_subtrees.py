from __future__ import annotations

import pytest

from tiercast.models.trees import subtrees
from tiercast.models.trees.text_format import Split, Tree


def split(feature: int) -> Split:
    return Split(feature, 0.5, None, "none", default_left=False)


def test_a_tree_is_cut_so_that_every_leaf_is_in_one_subtree_of_bounded_size() -> None:
    chain = Tree(
        tuple(split(k) for k in range(6)),
        (-1, -2, -3, -4, -5, -6),
        (1, 2, 3, 4, 5, -7),
        (70, 60, 50, 40, 30, 20),
        tuple(float(k) for k in range(7)),
        (10,) * 7,
    )
    found = subtrees.cut(chain, most_splits=6)
    assert len(found) == 1
    with pytest.raises(ValueError, match="longer than 4"):
        subtrees.cut(chain, most_splits=4)
    bushy = Tree(
        tuple(split(k) for k in range(7)),
        (1, 3, 5, -1, -3, -5, -7),
        (2, 4, 6, -2, -4, -6, -8),
        (80, 40, 40, 20, 20, 20, 20),
        tuple(float(k) for k in range(8)),
        (10,) * 8,
    )
    found = subtrees.cut(bushy, most_splits=4)
    assert [len(subtree.splits) for subtree in found] == [4, 4]
    assert sorted(leaf.value for subtree in found for leaf in subtree.leaves) == list(bushy.leaf_value)
    assert all(len(subtree.splits) <= 4 for subtree in found)
