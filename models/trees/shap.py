"""TreeSHAP values of a subtree, for every path that a customer can take through it.

Path-dependent TreeSHAP (Lundberg, Erion & Lee 2018, "Consistent individualized feature attribution for tree
ensembles"). Where a feature is unknown, a customer goes to both sides of its splits, in the shares of the training
rows. A tree is the sum of its leaves, and so are its Shapley values. Take a leaf with value v and features 1..d on its
path. With all features of a set S known, its expected value is

    v * product over S of o_j * product over the rest of z_j

o_j is 1 where the customer takes all of feature j's branches to the leaf, else 0. z_j is the share of the rows that
take them. The Shapley value of feature f in this game is

    v * (o_f - z_f) * sum over S without f of |S|! (d - |S| - 1)! / d! * product in S of o_j * product not in S of z_j.

It depends on d bits only and so has 2 ** d possible values, which are computed once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tiercast.contract.vectors import Mask, Vector
from tiercast.models.trees.subtrees import Leaf, Path, Subtree


class Table(NamedTuple):
    """`values[k, code]` is what feature `features[k]` contributes for customers with that path code."""

    features: tuple[int, ...]
    values: Vector


class _Game(NamedTuple):
    """A leaf seen from the features on its path: each one's branches, and the share of rows that take them."""

    value: float
    branches: dict[int, Path]
    z: tuple[float, ...]


def tables(subtrees: Sequence[Subtree]) -> list[Table]:
    """What every feature of each subtree contributes, for every path code."""
    games = [[_game(leaf) for leaf in subtree.leaves] for subtree in subtrees]
    unit_values = _unit_values({game.z for leaves in games for game in leaves})
    return [_table(subtree, leaves, unit_values) for subtree, leaves in zip(subtrees, games, strict=True)]


def _game(leaf: Leaf) -> _Game:
    branches: dict[int, Path] = {}
    for branch in leaf.path:
        branches[branch.feature] = (*branches.get(branch.feature, ()), branch)
    z = tuple(math.prod(branch.share for branch in taken) for taken in branches.values())
    return _Game(leaf.value, branches, z)


def _unit_values(shares: set[tuple[float, ...]]) -> dict[tuple[float, ...], Vector]:
    """`shapley_values` for each z; those of equal length are computed together."""
    by_z: dict[tuple[float, ...], Vector] = {}
    for d in {len(z) for z in shares} - {0}:
        same_length = [z for z in shares if len(z) == d]
        by_z |= zip(same_length, shapley_values(np.array(same_length)), strict=True)
    return by_z


def _table(subtree: Subtree, games: Sequence[_Game], unit_values: Mapping[tuple[float, ...], Vector]) -> Table:
    features = sorted({split.feature for split in subtree.splits.values()})
    row = {feature: k for k, feature in enumerate(features)}
    values = np.zeros((len(features), 2 ** len(subtree.splits)))
    for game in games:
        o = np.zeros(values.shape[1], np.intp)
        for j, path in enumerate(game.branches.values()):
            o[_takes(path, subtree)] |= 1 << j
        if game.branches:
            values[[row[feature] for feature in game.branches]] += game.value * unit_values[game.z].take(o, axis=1)
    return Table(tuple(features), values)


def leaf_values(subtree: Subtree) -> Vector:
    """For every path code the value of the leaf it leads to; 0 where that leaf is in another subtree."""
    values = np.zeros(2 ** len(subtree.splits))
    for leaf in subtree.leaves:
        values[_takes(leaf.path, subtree)] = leaf.value
    return values


def _takes(path: Path, subtree: Subtree) -> Mask:
    """For every path code of the subtree, whether it takes all branches of the path."""
    bit = {split: 1 << k for k, split in enumerate(subtree.splits)}
    on_path = sum(bit[branch.split] for branch in path)
    to_the_right = sum(bit[branch.split] for branch in path if branch.goes_right)
    return np.asarray(np.arange(2 ** len(bit)) & on_path == to_the_right)


def shapley_values(z: Vector) -> Vector:
    """Shapley values of leaves of value 1 with d features each; shape (leaves, d) in, (leaves, d, 2 ** d) out.

    The last axis has the combinations of the o_j: o_j is bit j. A single feature gets the whole difference.

    >>> shapley_values(np.array([[0.25]])).tolist()
    [[[-0.25, 0.75]]]
    """
    d = z.shape[1]
    o = (np.arange(2**d) >> np.arange(d)[:, None] & 1).astype(np.float64)
    return np.stack([(o[f] - z[:, f, None]) * _sum_without(f, o, z) for f in range(d)], axis=1)


def _sum_without(f: int, o: Vector, z: Vector) -> Vector:
    """The sum over the sets S without f. By size of S, it has the coefficients of the product of (z_j + o_j t)."""
    d = z.shape[1]
    by_size = np.zeros((d, len(z), o.shape[1]))
    by_size[0] = 1.0
    for j in range(d):
        if j != f:
            with_j = by_size[:-1] * o[j]
            by_size *= z[:, j, None]
            by_size[1:] += with_j
    return np.tensordot(weights(d), by_size, 1)


def weights(d: int) -> Vector:
    """|S|! (d - |S| - 1)! / d! for |S| from 0 to d - 1: the share of orders in which exactly S comes before f.

    >>> weights(3).tolist() == [1 / 3, 1 / 6, 1 / 3]
    True
    """
    return np.array([math.factorial(s) * math.factorial(d - s - 1) / math.factorial(d) for s in range(d)])
