"""How long customers pause between two orders, and which churn horizon that suggests.

A horizon that many customers outlive by mere habit calls faithful people lost. One that is much longer than any habit
finds the lost too late to win them back.
"""

from __future__ import annotations

from typing import NamedTuple

from ibis.expr import types as ir

from tiercast.features import orders
from tiercast.features.engines import Engine

HORIZONS = (7, 14, 30, 60, 90, 180, 365)
COVERED = 0.9


class Gaps(NamedTuple):
    """`n` gaps between successive orders of one customer; `within[h]` of them are at most h days long."""

    n: int
    within: dict[int, int]


def observe(engine: Engine, transactions: ir.Table) -> Gaps:
    """The gaps of all customers. Those still open at the end are not among them, so long habits are undercounted."""
    gap = orders.with_neighbours(orders.daily(transactions))["gap"]
    counts = {f"within_{h}": (gap <= h).sum() for h in HORIZONS}
    found = engine.con.to_pyarrow(gap.as_table().aggregate(n=gap.count(), **counts)).to_pylist()[0]
    return Gaps(found["n"], {h: int(found[f"within_{h}"] or 0) for h in HORIZONS})


def propose(gaps: Gaps, history_days: int) -> int | None:
    """The shortest round horizon that at least 90 % of gaps stay within, and of which history holds two.

    When history is too short for it, the longest that fits twice. None when no customer came back, or when less than
    two weeks are known.

    >>> propose(Gaps(n=10, within={7: 2, 14: 5, 30: 8, 60: 9, 90: 10, 180: 10, 365: 10}), history_days=400)
    60
    >>> propose(Gaps(n=10, within={7: 2, 14: 5, 30: 8, 60: 9, 90: 10, 180: 10, 365: 10}), history_days=100)
    30
    """
    possible = [h for h in HORIZONS if 2 * h <= history_days]
    if not gaps.n or not possible:
        return None
    return next((h for h in possible if gaps.within[h] >= COVERED * gaps.n), possible[-1])
