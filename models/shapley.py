"""Who gets how much of what a tree says: Shapley values of its features, for every way a customer can answer.

Path-dependent TreeSHAP (Lundberg, Erion & Lee 2018, "Consistent individualized feature attribution for tree
ensembles"): a feature that is not known lets a customer fall to both sides of its splits, in the shares of the
training rows. A tree is the sum of its leaves, and so are its Shapley values. The leaf with value v and the features
1..d on its path adds, with all features of a set S known,

    v * product over S of o_j * product over the rest of z_j

with o_j 1 if the customer's answers about feature j lead to the leaf, else 0, and z_j the share of rows that take
feature j's turns on this path. Feature f's Shapley value of that game is

    v * (o_f - z_f) * sum over S without f of |S|! (d - |S| - 1)! / d! * product in S of o_j * product not in S of z_j.

It hangs on d answers only, so there are 2 ** d of it. Small trees are cut into a few pieces of at most `MOST` splits
whose answers together are the row of a table; what a customer gets is then looked up, not computed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.models.forest import Tree

MOST = 9
"""Splits of a piece: 512 rows of a table, that fit with their columns into a core's nearest cache."""
_NO_SPLIT = -1


class Turn(NamedTuple):
    """A step down a path: at which split, to which side, and the share of the split's rows that take it."""

    split: int
    is_right: bool
    share: float


Path = tuple[Turn, ...]


class Leaf(NamedTuple):
    """A leaf's value, and how it is reached."""

    value: float
    path: Path


class Piece(NamedTuple):
    """Some leaves of a tree, and the splits on the paths to them."""

    splits: tuple[int, ...]
    leaves: tuple[Leaf, ...]


class Table(NamedTuple):
    """`shares[k]` is what feature `features[k]` gets, one number per pattern: bit i is set where split i says right."""

    splits: tuple[int, ...]
    features: tuple[int, ...]
    shares: Vector


class _Known(NamedTuple):
    """A leaf seen from its features: what each one's splits must answer, and the share of rows that do."""

    value: float
    turns: tuple[Path, ...]
    z: tuple[float, ...]


def cut(tree: Tree, most: int = MOST) -> list[Piece]:
    """The tree as pieces with at most `most` splits each, every leaf in one of them. Raises ValueError where a path is
    longer than that."""
    return list(_pieces(tree, 0 if tree.splits else -1, (), most))


def _pieces(tree: Tree, node: int, path: Path, most: int) -> Iterator[Piece]:
    leaves = tuple(_leaves(tree, node, path))
    splits = sorted({turn.split for leaf in leaves for turn in leaf.path})
    if len(splits) <= most:
        yield Piece(tuple(splits), leaves)
    elif node < 0:
        raise ValueError(f"a path of {len(splits)} splits is longer than {most}")
    else:
        for child, turn in _turns(tree, node):
            yield from _pieces(tree, child, (*path, turn), most)


def _leaves(tree: Tree, node: int, path: Path) -> Iterator[Leaf]:
    if node < 0:
        yield Leaf(tree.values[-1 - node], path)
    else:
        for child, turn in _turns(tree, node):
            yield from _leaves(tree, child, (*path, turn))


def _turns(tree: Tree, node: int) -> Iterator[tuple[int, Turn]]:
    for is_right, child in enumerate((tree.left[node], tree.right[node])):
        yield child, Turn(node, bool(is_right), tree.rows_at(child) / tree.rows[node])


def tables(tree_pieces: Sequence[tuple[Tree, Piece]]) -> list[Table]:
    """What every feature of a piece gets, for every pattern of answers."""
    by_feature = [[_known(tree, leaf) for leaf in piece.leaves] for tree, piece in tree_pieces]
    worked_out = _worked_out([leaf.z for leaves in by_feature for leaf in leaves])
    return [_table(*pair, leaves, worked_out) for pair, leaves in zip(tree_pieces, by_feature, strict=True)]


def _known(tree: Tree, leaf: Leaf) -> _Known:
    turns: dict[int, Path] = {}
    for turn in leaf.path:
        feature = tree.splits[turn.split].feature
        turns[feature] = (*turns.get(feature, ()), turn)
    return _Known(
        leaf.value, tuple(turns.values()), tuple(math.prod(t.share for t in taken) for taken in turns.values())
    )


def _worked_out(shares: Sequence[tuple[float, ...]]) -> dict[tuple[float, ...], Vector]:
    """`of_paths` of each, paths of equal length together."""
    found: dict[tuple[float, ...], Vector] = {}
    for d in {len(z) for z in shares} - {0}:
        alike = [z for z in shares if len(z) == d]
        found |= zip(alike, of_paths(np.array(alike)), strict=True)
    return found


def _table(tree: Tree, piece: Piece, leaves: Sequence[_Known], worked_out: Mapping[tuple[float, ...], Vector]) -> Table:
    features = sorted({tree.splits[split].feature for split in piece.splits})
    row = {feature: k for k, feature in enumerate(features)}
    says_right = _says_right(piece)
    shares = np.zeros((len(features), 2 ** len(piece.splits)))
    for leaf in leaves:
        combination = np.zeros(shares.shape[1], np.intp)
        for k, taken in enumerate(leaf.turns):
            combination |= _leads(taken, says_right) << k
        rows = [row[tree.splits[taken[0].split].feature] for taken in leaf.turns]
        if rows:
            shares[rows] += leaf.value * worked_out[leaf.z].take(combination, axis=1)
    return Table(piece.splits, tuple(features), shares)


def leaf_values(piece: Piece) -> Vector:
    """For every pattern of answers the value of the leaf it leads to, 0 where that is none of this piece's."""
    says_right, found = _says_right(piece), np.zeros(2 ** len(piece.splits))
    for leaf in piece.leaves:
        found[_leads(leaf.path, says_right) == 1] = leaf.value
    return found


def _says_right(piece: Piece) -> Mapping[int, NDArray[np.intp]]:
    """Per split of the piece, its bit in every pattern."""
    numbers = np.arange(2 ** len(piece.splits))
    return {split: numbers >> bit & 1 for bit, split in enumerate(piece.splits)} | {_NO_SPLIT: np.ones_like(numbers)}


def _leads(path: Path, says_right: Mapping[int, NDArray[np.intp]]) -> NDArray[np.intp]:
    """1 for the patterns that take all these turns."""
    follows = (says_right[turn.split] ^ (not turn.is_right) for turn in path)
    return functools.reduce(np.bitwise_and, follows, says_right[_NO_SPLIT])


def of_paths(z: Vector) -> Vector:
    """Shapley values of leaves of value 1 that have d features each; shape (leaves, d) in, (leaves, d, 2 ** d) out.

    The last axis counts the combinations of the o_j: o_j is bit j. A feature alone gets all there is to share.

    >>> of_paths(np.array([[0.25]])).tolist()
    [[[-0.25, 0.75]]]
    """
    d = z.shape[1]
    o = (np.arange(2**d) >> np.arange(d)[:, None] & 1).astype(np.float64)
    return np.stack([(o[f] - z[:, f, None]) * _without(f, o, z) for f in range(d)], axis=1)


def _without(f: int, o: Vector, z: Vector) -> Vector:
    """The sum over the sets S without f. By size, they are the coefficients of the product of (z_j + o_j t)."""
    d = z.shape[1]
    by_size = np.zeros((d, len(z), o.shape[1]))
    by_size[0] = 1.0
    for j in range(d):
        if j != f:
            taken = by_size[:-1] * o[j]
            by_size *= z[:, j, None]
            by_size[1:] += taken
    return np.tensordot(weights(d), by_size, 1)


def weights(d: int) -> Vector:
    """|S|! (d - |S| - 1)! / d! for |S| from 0 to d - 1: how often just that set comes before f among all orders.

    >>> weights(3).tolist() == [1 / 3, 1 / 6, 1 / 3]
    True
    """
    return np.array([math.factorial(s) * math.factorial(d - s - 1) / math.factorial(d) for s in range(d)])
