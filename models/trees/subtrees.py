"""Trees cut into small subtrees, and the path of each customer through them as a code.

A subtree of d splits has a code of d bits: bit i is set where its split i sends the customer to the right child. Any
result that depends on the path alone is then a table with 2 ** d rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.models.trees import conditions
from tiercast.models.trees.conditions import Conditions
from tiercast.models.trees.text_format import Split, Tree

MOST_SPLITS = 9
"""Splits of a subtree: its table has 512 rows, which fit with their columns into a core's nearest cache."""

Codes = NDArray[np.uint16]


class Branch(NamedTuple):
    """One step of a path: the split's number and feature, the side taken, and the share of its rows that take it."""

    split: int
    feature: int
    goes_right: bool
    share: float


Path = tuple[Branch, ...]


class Leaf(NamedTuple):
    """A leaf's value, and the path from the root of the tree to it."""

    value: float
    path: Path


class Subtree(NamedTuple):
    """Some leaves of a tree, and all splits on their paths from the root: number in the tree -> split."""

    splits: dict[int, Split]
    leaves: tuple[Leaf, ...]


class Forest(NamedTuple):
    """All trees of a model as subtrees.

    `condition_of_bit` has a row per bit and a column per subtree: the row of the bit's condition. `base` is the mean
    raw score of the training rows.
    """

    subtrees: tuple[Subtree, ...]
    conditions: Conditions
    condition_of_bit: NDArray[np.intp]
    base: float


def from_trees(trees: Sequence[Tree]) -> Forest:
    """The trees as subtrees, in their order. Raises ValueError where a path is longer than `MOST_SPLITS`."""
    subtrees = tuple(subtree for tree in trees for subtree in cut(tree))
    distinct, rows = conditions.distinct([split for subtree in subtrees for split in subtree.splits.values()])
    sizes = [len(subtree.splits) for subtree in subtrees]
    condition_of_bit = np.full((max(sizes, default=0), len(subtrees)), distinct.never, np.intp)
    ends = itertools.accumulate(sizes, initial=0)
    for column, (start, end) in enumerate(itertools.pairwise(ends)):
        condition_of_bit[: end - start, column] = rows[start:end]
    return Forest(subtrees, distinct, condition_of_bit, sum(tree.mean for tree in trees))


def cut(tree: Tree, most_splits: int = MOST_SPLITS) -> list[Subtree]:
    """Subtrees with at most `most_splits` splits each; every leaf is in one. Raises ValueError for longer paths."""
    return list(_cut_below(tree, tree.root, (), most_splits))


def _cut_below(tree: Tree, node: int, path: Path, most_splits: int) -> Iterator[Subtree]:
    leaves = tuple(_leaves_below(tree, node, path))
    on_paths = sorted({branch.split for leaf in leaves for branch in leaf.path})
    if len(on_paths) <= most_splits:
        yield Subtree({number: tree.splits[number] for number in on_paths}, leaves)
    elif node < 0:
        raise ValueError(f"a path of {len(on_paths)} splits is longer than {most_splits}")
    else:
        for child, branch in _branches(tree, node):
            yield from _cut_below(tree, child, (*path, branch), most_splits)


def _leaves_below(tree: Tree, node: int, path: Path) -> Iterator[Leaf]:
    if node < 0:
        yield Leaf(tree.leaf_value[-1 - node], path)
    else:
        for child, branch in _branches(tree, node):
            yield from _leaves_below(tree, child, (*path, branch))


def _branches(tree: Tree, node: int) -> Iterator[tuple[int, Branch]]:
    feature, total = tree.splits[node].feature, tree.count(node)
    for goes_right, child in enumerate((tree.left_child[node], tree.right_child[node])):
        yield child, Branch(node, feature, bool(goes_right), tree.count(child) / total)


def path_codes(forest: Forest, columns: Sequence[Vector], rows: slice) -> Codes:
    """One row per subtree, one column per customer among `rows`; `columns` are the features."""
    goes_right = conditions.evaluate(forest.conditions, columns, rows)
    codes = np.zeros((len(forest.subtrees), goes_right.shape[1]), np.uint16)
    for bit, condition in enumerate(forest.condition_of_bit):
        codes |= goes_right[condition].astype(np.uint16) << bit
    return codes
