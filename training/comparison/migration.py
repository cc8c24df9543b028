"""Customers who change tier from one training to another, and their money."""

from __future__ import annotations

from typing import NamedTuple

from tiercast.tiers import grid
from tiercast.training.comparison.kept import Kept


class Move(NamedTuple):
    """Customers whom the first training puts into `before` and the other into `after`; money summed over them.

    `value_before` and `value_after` are what the two forecast for them, `brought` is what they then brought.
    """

    before: str
    after: str
    customers: int
    value_before: float
    value_after: float
    brought: float


class Migration(NamedTuple):
    """The tier confusion matrix without its empty cells, and the totals off its diagonal."""

    moves: tuple[Move, ...]
    customers: int
    changed: int
    value_at_stake: float
    """Money that the first training forecast for the customers who change tier."""
    brought: float
    """Money that the customers who change tier brought."""

    @property
    def changed_share(self) -> float:
        return self.changed / self.customers

    @property
    def letters(self) -> tuple[str, ...]:
        """The tiers that occur, on either side."""
        return tuple(sorted({letter for move in self.moves for letter in (move.before, move.after)}))

    def customers_of(self, before: str, after: str) -> int:
        """How many are in one cell of the matrix."""
        return sum(move.customers for move in self.moves if (move.before, move.after) == (before, after))


def between(first: Kept, other: Kept) -> Migration:
    """Two trainings on the same customers; on the value window, where tiers are judged."""
    moves = tuple(
        found
        for before in grid.TIERS
        for after in grid.TIERS
        if (found := _move(first, other, before, after)).customers
    )
    off = [move for move in moves if move.before != move.after]
    return Migration(
        moves,
        len(first.tier),
        sum(move.customers for move in off),
        sum(move.value_before for move in off),
        sum(move.brought for move in off),
    )


def _move(first: Kept, other: Kept, before: str, after: str) -> Move:
    here = (first.tier == before) & (other.tier == after)
    sums = (float(column[here].sum()) for column in (first.value, other.value, first.actual))
    return Move(before, after, int(here.sum()), *sums)
