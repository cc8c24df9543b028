"""Raw scores and contributions of many customers, by table lookup.

Both are sums over subtrees of a number that depends only on the customer's path code (`subtrees`). Those numbers are
in tables, so that a customer costs one comparison per distinct condition, and one lookup and addition per table.

Raw scores are the same bits as LightGBM's: the same leaf values, added in the order of the trees. Contributions are
added as integers in units of 2 ** -`bits`, so fine that rounding stays far below 1e-12 of the largest possible sum.
Integers add up to the same in any order: a customer gets the same bits alone, in a request of ten or among millions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.models.trees import shap, subtrees
from tiercast.models.trees.subtrees import Codes, Forest

BLOCK = 1024  # customers at a time: their codes and numbers stay in a core's own cache
Integers = NDArray[np.int64]


class LeafTables(NamedTuple):
    """The leaf value for every path code: one table per subtree, one after the other from `starts`."""

    forest: Forest
    values: Vector
    starts: NDArray[np.intp]


class GroupTables(NamedTuple):
    """What one group of features contributes: the subtrees with a table, as a column where each begins, and all values.

    Values are integers in units of 2 ** -`bits`.
    """

    subtrees: NDArray[np.intp]
    starts: NDArray[np.intp]
    values: Integers


class ShapTables(NamedTuple):
    """The tables of all groups, in the order of their names."""

    forest: Forest
    groups: dict[str, GroupTables]
    bits: int


def leaf_tables(forest: Forest) -> LeafTables:
    """The tables that raw scores are read from."""
    tables = [shap.leaf_values(subtree) for subtree in forest.subtrees]
    return LeafTables(forest, np.concatenate([np.zeros(0), *tables]), _starts(tables))


def raw_scores(tables: LeafTables, columns: Sequence[Vector]) -> Vector:
    """The sum of the leaves that each customer reaches; `columns` are the features."""
    scores = np.empty(len(columns[0]))
    for rows in _blocks(len(scores)):
        scores[rows] = _sum_of_leaves(tables, subtrees.path_codes(tables.forest, columns, rows))
    return scores


def _sum_of_leaves(tables: LeafTables, codes: Codes) -> Vector:
    """In the order of the trees. NumPy adds a single column pairwise, in another order, so it gets a second one."""
    leaves = tables.values.take(codes + tables.starts[:, None])
    if leaves.shape[1] == 1:
        return np.asarray(np.repeat(leaves, 2, axis=1).sum(axis=0)[:1])
    return np.asarray(leaves.sum(axis=0))


def shap_tables(forest: Forest, groups: Sequence[str]) -> ShapTables:
    """The tables that contributions are read from; `groups[k]` is the group of feature k."""
    tables = shap.tables(forest.subtrees)
    bits = _bits(tables)
    by_group: dict[str, dict[int, Vector]] = {}
    for number, table in enumerate(tables):
        for group, values in _grouped(table, groups).items():
            by_group.setdefault(group, {})[number] = values
    return ShapTables(forest, {group: _group_tables(by_group[group], bits) for group in sorted(by_group)}, bits)


def _group_tables(by_subtree: Mapping[int, Vector], bits: int) -> GroupTables:
    tables = list(by_subtree.values())
    values = np.rint(np.ldexp(np.concatenate(tables), bits)).astype(np.int64)
    return GroupTables(np.array(list(by_subtree), dtype=np.intp), _starts(tables)[:, None], values)


def _grouped(table: shap.Table, groups: Sequence[str]) -> dict[str, Vector]:
    """The sum over each group's features."""
    sums: dict[str, Vector] = {}
    for feature, values in zip(table.features, table.values, strict=True):
        sums[groups[feature]] = sums.get(groups[feature], np.zeros_like(values)) + values
    return sums


def _bits(tables: Sequence[shap.Table]) -> int:
    """As many binary places as fit: the largest possible sum stays below 2 ** 62."""
    largest = sum(float(np.abs(table.values).sum(axis=0).max()) for table in tables)
    return 61 - math.frexp(largest)[1]


def contributions(tables: ShapTables, columns: Sequence[Vector]) -> dict[str, Vector]:
    """What each group adds to the raw score, measured from `forest.base`; `columns` are the features."""
    n = len(columns[0])
    sums = np.empty((len(tables.groups), n), np.int64)
    for rows in _blocks(n):
        _sum_groups(tables, subtrees.path_codes(tables.forest, columns, rows), sums[:, rows])
    return _as_floats(tables, sums)


def explain(leaves: LeafTables, groups: ShapTables, columns: Sequence[Vector]) -> tuple[Vector, dict[str, Vector]]:
    """`raw_scores` and `contributions` of one forest; the path codes are computed once."""
    n = len(columns[0])
    scores, sums = np.empty(n), np.empty((len(groups.groups), n), np.int64)
    for rows in _blocks(n):
        codes = subtrees.path_codes(leaves.forest, columns, rows)
        scores[rows] = _sum_of_leaves(leaves, codes)
        _sum_groups(groups, codes, sums[:, rows])
    return scores, _as_floats(groups, sums)


def _sum_groups(tables: ShapTables, codes: Codes, sums: Integers) -> None:
    """Writes each group's sum to its row of `sums`.

    All groups in one array would take megabytes, which the system takes back and must clear again for every block.
    """
    for row, group in zip(sums, tables.groups.values(), strict=True):
        np.add.reduce(group.values.take(codes[group.subtrees] + group.starts), axis=0, out=row)


def _as_floats(tables: ShapTables, sums: Integers) -> dict[str, Vector]:
    return dict(zip(tables.groups, np.ldexp(sums.astype(np.float64), -tables.bits), strict=True))


def _starts(tables: Sequence[Vector]) -> NDArray[np.intp]:
    return np.cumsum([0, *(len(table) for table in tables)], dtype=np.intp)[:-1]


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, n, BLOCK))
