"""Moves on the grid between two days: from which tier to which, up or down, and what was lost.

Loyalty and value make a plane, so tiers have no single order: B is below A in loyalty, C is below A in value, and
neither of the two is above the other. A move is therefore

    down   where loyalty or value was lost        A→B, A→C, B→C (value), C→B (loyalty), …→E, …→F
    up     where one was gained and none lost     D→C, D→B, C→A, B→A, E→…, F→…
    in     only the newer scores know the customer
    out    only the older scores know the customer

E is below D on both axes, since an inactive customer is neither loyal nor worth much. F is below E.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Text, Vector
from tiercast.tiers.grid import TIERS

Direction = Literal["stay", "up", "down", "in", "out"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
Lost = Literal["", "loyalty", "value", "both", "activity", "orders"]
ABSENT = ""
PLACES = (*TIERS, ABSENT)
"""The rows and columns of a matrix: six tiers, and customers absent from the scores."""


class Height(NamedTuple):
    """The height of a tier on each axis of the grid; only the order counts."""

    loyalty: int
    value: int


HEIGHTS = {
    "A": Height(1, 1),
    "B": Height(0, 1),
    "C": Height(1, 0),
    "D": Height(0, 0),
    "E": Height(-1, -1),
    "F": Height(-2, -2),
}


class Matrix(NamedTuple):
    """Rows are the old tiers, columns the new ones, both in the order of `PLACES`.

    customers   counts
    before      their expected value in the older scores, money; 0 for prospects and the absent
    after       the same in the newer scores
    """

    customers: NDArray[np.int64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]


def direction_of(old: str, new: str) -> Direction:
    """The direction of one customer's move.

    >>> [direction_of(*pair) for pair in ("AB", "CB", "BC", "DC", "EA", "DE", "CC")]
    ['down', 'down', 'down', 'up', 'up', 'down', 'stay']
    >>> direction_of("", "D"), direction_of("D", "")
    ('in', 'out')
    """
    if old == new:
        return "stay"
    if ABSENT in (old, new):
        return "in" if old == ABSENT else "out"
    return "down" if lost(old, new) else "up"


def lost(old: str, new: str) -> Lost:
    """What a customer lost by the move; empty if nothing.

    >>> lost("A", "B"), lost("A", "C"), lost("A", "D"), lost("A", "E"), lost("A", "F"), lost("D", "A")
    ('loyalty', 'value', 'both', 'activity', 'orders', '')
    """
    if old == new or ABSENT in (old, new):
        return ""
    before, after = HEIGHTS[old], HEIGHTS[new]
    fell: dict[tuple[bool, bool], Lost] = {(True, False): "loyalty", (False, True): "value", (True, True): "both"}
    cost = fell.get((after.loyalty < before.loyalty, after.value < before.value), "")
    below: dict[str, Lost] = {"E": "activity", "F": "orders"}
    return below.get(new, cost) if cost else ""


_TABLE = np.array([[direction_of(old, new) for new in PLACES] for old in PLACES])
DOWN = tuple(old + new for old in TIERS for new in TIERS if direction_of(old, new) == "down")
"""Every fall as two letters."""


def direction(old: Text, new: Text) -> Text:
    """The direction of each customer's move; an empty letter means absent from the scores.

    >>> direction(np.array(["A", "", "E"]), np.array(["B", "D", "C"])).tolist()
    ['down', 'in', 'up']
    """
    went: Text = _TABLE[_position(old), _position(new)]
    return went


def matrix(old: Text, new: Text, before: Vector, after: Vector, customers: NDArray[np.int64] | None = None) -> Matrix:
    """Customers and their values for every pair of old and new tier.

    `old` and `new` are letters, `before` and `after` money (NaN counts as 0), one entry per customer; or one entry per
    group of customers that made the same move, with its size in `customers` and its sums in `before` and `after`.

    >>> moves = matrix(np.array(["A", "A", "B"]), np.array(["A", "B", "B"]), np.ones(3), np.array([1.0, 0.5, 1.0]))
    >>> moves.customers[:2, :2].tolist(), moves.after[:2, :2].tolist()
    ([[1, 1], [0, 1]], [[1.0, 0.5], [0.0, 1.0]])
    """
    cell, n = _position(old) * len(PLACES) + _position(new), len(PLACES)
    size = np.ones(len(cell), np.int64) if customers is None else customers
    weights = (size.astype(np.float64), np.nan_to_num(before), np.nan_to_num(after))
    sums = [np.asarray(np.bincount(cell, weight, n * n).reshape(n, n), np.float64) for weight in weights]
    return Matrix(np.rint(sums[0]).astype(np.int64), sums[1], sums[2])


def added(one: Matrix, other: Matrix) -> Matrix:
    """The sum of two matrices."""
    return Matrix(one.customers + other.customers, one.before + other.before, one.after + other.after)


def counts(moves: Matrix) -> dict[Direction, int]:
    """Customers by direction.

    >>> counts(matrix(np.array(["A", "A"]), np.array(["A", "B"]), np.ones(2), np.ones(2)))
    {'stay': 1, 'up': 0, 'down': 1, 'in': 0, 'out': 0}
    """
    return {way: int(moves.customers[way == _TABLE].sum()) for way in DIRECTIONS}


class TierMove(NamedTuple):
    """The customers of one cell of a matrix; None means absent from the scores."""

    old: str | None
    new: str | None
    direction: Direction
    customers: int
    value_before: float
    value_after: float


def pairs(moves: Matrix) -> list[TierMove]:
    """The cells of a matrix that are not empty, row by row.

    >>> pairs(matrix(np.array(["A", ""]), np.array(["B", "D"]), np.array([9.0, 0.0]), np.array([4.0, 1.0])))[0]
    TierMove(old='A', new='B', direction='down', customers=1, value_before=9.0, value_after=4.0)
    """
    return [
        TierMove(old or None, new or None, direction_of(old, new), int(moves.customers[row, column]),
             float(moves.before[row, column]), float(moves.after[row, column]))
        for row, old in enumerate(PLACES)
        for column, new in enumerate(PLACES)
        if moves.customers[row, column]
    ]  # fmt: skip


def value_in(moves: Matrix, tiers: tuple[str, ...]) -> tuple[float, float]:
    """The expected value of the customers who were in these tiers, and of those in them now; money."""
    rows = [PLACES.index(tier) for tier in tiers]
    return float(moves.before[rows].sum()), float(moves.after[:, rows].sum())


def _position(letters: Text) -> NDArray[np.intp]:
    order = np.argsort(np.array(PLACES))
    position: NDArray[np.intp] = order[np.searchsorted(np.array(PLACES), letters, sorter=order)]
    return position
