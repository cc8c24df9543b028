"""What trees say, looked up instead of computed: predictions and exact TreeSHAP values from tables.

What a piece of a tree says stands in a table (`models.shapley`); a customer's answers to its questions are the row
(`models.patterns`). Per customer that leaves a comparison per question, and a look-up and a sum per table.

Predictions are the same bits as LightGBM's: the same leaf values, added in the order of the trees. Contributions are
added as whole numbers of 2 ** -`bits`, so fine that rounding stays far below 1e-12 of the largest sum possible. Whole
numbers add up to the same in any order: a customer gets the same bits alone, in a request of ten or among millions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.models import patterns, shapley
from tiercast.models.patterns import Cut, Patterns

ROWS = 1024  # customers at a time: what they need stays in a core's own cache
Whole = NDArray[np.int64]


class Values(NamedTuple):
    """Per piece, the value of the leaf that a pattern leads to; 0 where it is a leaf of another piece."""

    cut: Cut
    table: Vector
    starts: NDArray[np.intp]


class Shares(NamedTuple):
    """A slot is one piece's table for one group of features.

    `slots` are a group's: which pieces they belong to, and as a column where in `table` they begin.
    """

    cut: Cut
    table: Whole
    groups: tuple[str, ...]
    slots: tuple[tuple[NDArray[np.intp], NDArray[np.intp]], ...]
    bits: int
    base: float


def values(cut: Cut) -> Values:
    """The tables that predictions are read from."""
    tables = [shapley.leaf_values(piece) for _, piece in cut.pairs]
    turned = [_turned(table, mask) for table, mask in zip(tables, cut.turned, strict=True)]
    return Values(cut, np.concatenate([np.zeros(0), *turned]), _starts(turned))


def predict(found: Values, columns: Sequence[Vector]) -> Vector:
    """The raw score of every customer: the sum of the leaves they reach. `columns` are the features."""
    n = len(columns[0])
    sums = np.empty(n)
    for rows in _blocks(n):
        sums[rows] = _leaves(found, patterns.numbers(found.cut, columns, rows))
    return sums


def _leaves(found: Values, numbers: Patterns) -> Vector:
    return _in_order(found.table.take(numbers + found.starts[:, None]))


def _in_order(leaves: Vector) -> Vector:
    """Row after row: numpy adds a single column in pairs, which is another order, so it gets a second one."""
    if leaves.shape[1] == 1:
        leaves = np.repeat(leaves, 2, axis=1)
        return np.asarray(leaves.sum(axis=0)[:1])
    return np.asarray(leaves.sum(axis=0))


def shares(cut: Cut, groups: Sequence[str]) -> Shares:
    """The tables that contributions are read from; `groups[k]` names what column k's are summed under."""
    tables = shapley.tables(cut.pairs)
    slots = sorted(
        (
            (group, piece, _turned(row, cut.turned[piece]))
            for piece, table in enumerate(tables)
            for group, row in _grouped(table, groups)
        ),
        key=lambda slot: slot[:2],
    )
    counts = [(group, len(list(some))) for group, some in itertools.groupby(slots, lambda slot: slot[0])]
    ends = itertools.accumulate((n for _, n in counts), initial=0)
    rows = [row for _, _, row in slots]
    pieces, starts = np.array([piece for _, piece, _ in slots], dtype=np.intp), _starts(rows)
    bits = 61 - math.frexp(sum(float(np.abs(table.shares).sum(axis=0).max()) for table in tables))[1]
    return Shares(
        cut,
        np.rint(np.ldexp(np.concatenate([np.zeros(0), *rows]), bits)).astype(np.int64),
        tuple(group for group, _ in counts),
        tuple((pieces[start:end], starts[start:end, None]) for start, end in itertools.pairwise(ends)),
        bits,
        cut.base,
    )


def contributions(found: Shares, columns: Sequence[Vector]) -> dict[str, Vector]:
    """What each group adds to the raw score, measured from `found.base`; `columns` are the features."""
    n = len(columns[0])
    sums = np.empty((len(found.groups), n), np.int64)
    for rows in _blocks(n):
        _add_up(found, patterns.numbers(found.cut, columns, rows), sums[:, rows])
    return _as_log_odds(found, sums)


def explained(whole: Values, parts: Shares, columns: Sequence[Vector]) -> tuple[Vector, dict[str, Vector]]:
    """`predict` and `contributions` of one forest, its questions asked once."""
    n = len(columns[0])
    raw, sums = np.empty(n), np.empty((len(parts.groups), n), np.int64)
    for rows in _blocks(n):
        numbers = patterns.numbers(whole.cut, columns, rows)
        raw[rows] = _leaves(whole, numbers)
        _add_up(parts, numbers, sums[:, rows])
    return raw, _as_log_odds(parts, sums)


def _add_up(found: Shares, numbers: Patterns, sums: Whole) -> None:
    """Puts every group's shares into its row of `sums`.

    All groups at once would be memory by the megabyte, which the system takes back and must clear again every time.
    """
    for row, (pieces, starts) in zip(sums, found.slots, strict=True):
        np.add.reduce(found.table.take(numbers[pieces] + starts), axis=0, out=row)


def _as_log_odds(found: Shares, sums: Whole) -> dict[str, Vector]:
    return dict(zip(found.groups, np.ldexp(sums.astype(np.float64), -found.bits), strict=True))


def _grouped(table: shapley.Table, groups: Sequence[str]) -> list[tuple[str, Vector]]:
    found: dict[str, Vector] = {}
    for feature, row in zip(table.features, table.shares, strict=True):
        found[groups[feature]] = found.get(groups[feature], np.zeros_like(row)) + row
    return list(found.items())


def _turned(row: Vector, mask: int) -> Vector:
    """The same table by answers instead of by turns."""
    turned: Vector = row[np.arange(len(row)) ^ mask]
    return turned


def _starts(tables: Sequence[Vector]) -> NDArray[np.intp]:
    return np.cumsum([0, *(len(table) for table in tables)], dtype=np.intp)[:-1]


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, start + ROWS) for start in range(0, n, ROWS))
