"""The conditions of all reasons, made ready for the columns of one kind of feature table.

Which columns there are, which window is spoken of and which families the model pushes is the same for every request a
bundle answers, so it is worked out once. What is left to do for customers are the comparisons, each once however many
reasons ask for it, and a few steps on all families together.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask, Vector
from tiercast.tiers import facts, families
from tiercast.tiers.facts import Comparison
from tiercast.tiers.families import Reason

NONE = -1
Codes: TypeAlias = NDArray[np.int16]
Numbers: TypeAlias = NDArray[np.intp]
CODE = {code: i for i, code in enumerate(families.CODES)}


class Loan(NamedTuple):
    """The family at `lender` may be spoken for by those at `borrowers`, the first that can, in one direction."""

    lender: int
    is_risk: bool
    borrowers: tuple[int, ...]


class Rules(NamedTuple):
    """What may be said in the name of `families`, in a table that has the columns it was made for.

    `conditions` has a column per reason: the numbers of the comparisons that must hold (one past the last holds of
    everybody). `layers` are the families' reasons by rank, the last resort first: per family, first all for risk, then
    all for loyalty, the number of the reason (one past the last is true of nobody) and its code.
    """

    families: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    conditions: Numbers
    layers: tuple[tuple[Numbers, Codes], ...]
    loans: tuple[Loan, ...]
    never_ordered: int


class Readings(NamedTuple):
    """Per family (rows) and customer (columns), the code of the reading that would be true, or -1."""

    risk: Codes
    loyalty: Codes
    is_prospect: Mask


@functools.lru_cache(maxsize=64)
def of(columns: tuple[str, ...], spoken_for: tuple[str, ...], typical: tuple[tuple[str, float], ...]) -> Rules:
    """The rules for a table with these columns, a base with these typical values, and the families that may speak."""
    chosen = [family for family in families.FAMILIES if family.name in spoken_for]
    window = facts.reference_window(columns)
    place = functools.partial(facts.placed, columns=frozenset(columns), typical=dict(typical), window=window)
    sides = [family.risk for family in chosen] + [family.loyalty for family in chosen]
    placed = [_sayable(reasons, place) for reasons in (*sides, (families.NEVER_ORDERED,))]
    said = [conditions for side in placed for _, conditions in side]
    comparisons = tuple(dict.fromkeys(one for conditions in said for one in conditions))
    starts = list(itertools.accumulate(map(len, placed), initial=0))
    return Rules(
        tuple(family.name for family in chosen),
        comparisons,
        _conditions(said, comparisons),
        tuple(_layer(placed[:-1], starts, rank, len(said)) for rank in reversed(range(max(map(len, placed))))),
        tuple(_loans(chosen)),
        starts[-2] if placed[-1] else len(said),
    )


def readings(rules: Rules, columns: Mapping[str, Vector], customers: int) -> Readings:
    """The first reading of every family that is true of each customer."""
    truths = np.ones((len(rules.comparisons) + 1, customers), bool)
    for row, (compare, left, bound, scale) in zip(truths, rules.comparisons, strict=False):
        compare(columns[left], bound * columns[scale] if scale else bound, out=row)
    held = np.zeros((rules.conditions.shape[1] + 1, customers), bool)
    np.logical_and.reduce(truths[rules.conditions], axis=0, out=held[:-1])
    codes = np.full((2 * len(rules.families), customers), NONE, np.int16)
    for reason, code in rules.layers:
        np.copyto(codes, code, where=held[reason])
    return Readings(codes[: len(rules.families)], codes[len(rules.families) :], held[rules.never_ordered])


def _sayable(
    reasons: Sequence[Reason], place: functools.partial[Comparison | None]
) -> list[tuple[str, list[Comparison]]]:
    """The codes that could be true of somebody in such a table, with what they ask for."""
    asked = [(reason.code, [place(fact) for fact in reason.when]) for reason in reasons]
    return [(code, [one for one in placed if one]) for code, placed in asked if None not in placed]


def _conditions(said: Sequence[Sequence[Comparison]], comparisons: Sequence[Comparison]) -> Numbers:
    number = {comparison: k for k, comparison in enumerate(comparisons)}
    most = max(map(len, said), default=1) or 1
    rows = [[*(number[one] for one in asked), *[len(comparisons)] * (most - len(asked))] for asked in said]
    return np.array(rows, np.intp).reshape(len(said), most).T


def _layer(
    sides: Sequence[Sequence[tuple[str, object]]], starts: Sequence[int], rank: int, nobody: int
) -> tuple[Numbers, Codes]:
    """The reasons of one rank of every side; where a side has not as many, one that is true of nobody."""
    reason = [start + rank if rank < len(side) else nobody for side, start in zip(sides, starts, strict=False)]
    code = [CODE[side[rank][0]] if rank < len(side) else NONE for side in sides]
    return np.array(reason, np.intp), np.array(code, np.int16)[:, None]


def _loans(chosen: Sequence[families.Family]) -> list[Loan]:
    place = {family.name: i for i, family in enumerate(chosen)}
    every = [
        Loan(i, is_risk, tuple(place[name] for name in borrowers))
        for i, family in enumerate(chosen)
        for is_risk, borrowers in ((True, family.lends_risk), (False, family.lends_loyalty))
    ]
    return [loan for loan in every if loan.borrowers]
