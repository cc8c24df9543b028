"""Why a customer stands where they stand: at most three coded reasons each.

A reason is given only where the model's own contributions push in its direction *and* what it says
is true of the customer. Those that speak for the verdict (p_churn above the grid's cut: risk, else loyalty) come
first, the strongest first; what speaks against it may fill the places left, if it is notable.

Contributions are log-odds of churn against the average customer: positive pushes towards churn, and
each of them, an offset included, should average about zero at training.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from tiercast.contract.vectors import Mask, Vector
from tiercast.tiers import families, rules
from tiercast.tiers.rules import NONE, Codes, Readings, Rules

MOST = 3
LEAST_PUSH = 0.02  # log-odds: moves no probability by more than half a point
NOTABLE_SHARE = 0.2  # of all pushes in either direction
FALLBACKS = ("silence", "frequency")
_SLICE = 1 << 12  # customers at a time: what they need stays in a core's own cache


def choose(
    contributions: Mapping[str, Vector],
    facts: Mapping[str, Vector],
    p_churn: Vector,
    *,
    cut: float = 0.5,
    typical: Mapping[str, float] | None = None,
) -> pa.ListArray:
    """At most three reason codes per customer, as a list<string> array as long as `p_churn`.

    `contributions` per feature in log-odds of churn; `facts` per feature as in the feature table;
    `cut` is the grid's p_churn cut. `typical` holds the base's typical values of money features at
    training (its medians); without it nothing is called a high or low order value. Features nobody
    speaks for are ignored. A customer with no reason from the model gets a plain fact about silence
    or frequency if one is true in the verdict's direction (or `one_order_only`) and the model does
    not push against it.

    >>> facts = {"n_orders": np.array([6.0, 0.0]), "silence_over_gap": np.array([6.2, np.nan])}
    >>> choose({"silence_over_gap": np.array([1.3, 0.0])}, facts, np.array([0.8, np.nan])).to_pylist()
    [['silent_5x_usual_gap'], ['never_ordered']]
    """
    return as_lists(pick(by_family(contributions, len(p_churn)), facts, p_churn, cut=cut, typical=typical))


def pick(
    pushes: Mapping[str, Vector],
    facts: Mapping[str, Vector],
    p_churn: Vector,
    *,
    cut: float,
    typical: Mapping[str, float] | None,
) -> Codes:
    """The same from contributions that are already summed by family; a family that is not there pushes nobody.

    Given as numbers of codes in `families.CODES`: one row of three per customer, -1 where a place stays empty.
    """
    told = tuple(family for family in families.POSITION if family in pushes or family in FALLBACKS)
    known = rules.of(tuple(facts), told, tuple((typical or {}).items()))
    picked = np.empty((len(p_churn), MOST), np.int16)
    for start in range(0, len(p_churn), _SLICE):
        part = slice(start, start + _SLICE)
        is_leaving = p_churn[part] > cut
        nothing = np.zeros(len(is_leaving))
        given = np.stack([pushes[name][part] if name in pushes else nothing for name in told])
        said = rules.readings(known, {name: column[part] for name, column in facts.items()}, len(is_leaving))
        picked[part] = _pick(known, given, said, is_leaving)
    return picked


def by_family(contributions: Mapping[str, Vector], customers: int) -> dict[str, Vector]:
    """Contributions per feature summed by family, what is not known as 0; features nobody speaks for are left out."""
    pushes: dict[str, Vector] = {}
    for feature, column in contributions.items():
        family = families.family_of(feature)
        if family is not None:
            pushes[family] = pushes.get(family, np.zeros(customers)) + np.nan_to_num(column)
    return pushes


def _pick(known: Rules, given: Vector, said: Readings, is_leaving: Mask) -> Codes:
    pushes = _lend(known, given, said)
    verdict = np.where(is_leaving, 1.0, -1.0)
    picked = _strongest(_codes_given(pushes, said), pushes * verdict)
    _fall_back(known, picked, pushes, said, verdict)
    picked[said.is_prospect] = (rules.CODE[families.NEVER_ORDERED.code], *[NONE] * (MOST - 1))
    return picked


def _lend(known: Rules, pushes: Vector, said: Readings) -> Vector:
    """Moves what a family lends to the first family that can put it into words."""
    moved = pushes.copy()
    for lender, is_risk, borrowers in known.loans:
        lent, spoken = pushes[lender], said.risk if is_risk else said.loyalty
        is_left = lent > 0 if is_risk else lent < 0
        for to in borrowers:
            goes = is_left & (spoken[to] != NONE)
            moved[to] += np.where(goes, lent, 0.0)
            moved[lender, goes] = 0.0
            is_left &= ~goes
    return moved


def _codes_given(pushes: Vector, said: Readings) -> Codes:
    against = np.where(pushes <= -LEAST_PUSH, said.loyalty, np.int16(NONE))
    return np.where(pushes >= LEAST_PUSH, said.risk, against)


def _strongest(codes: Codes, along: Vector) -> Codes:
    """Three code numbers per customer; `along` is each family's push in the verdict's direction."""
    size = np.abs(along)
    total = functools.reduce(np.add, size)  # in this order for one customer and for many
    is_said = (codes != NONE) & ((along > 0) | (size >= NOTABLE_SHARE * total))
    # Opposing reasons rank below every supporting one, the strong ones first: -1/size does both.
    rank = np.where(along > 0, along, -1.0 / np.maximum(size, LEAST_PUSH))
    order = np.argsort(np.where(is_said, -rank, np.inf), axis=0, kind="stable")[:MOST]
    chosen = np.where(is_said, codes, np.int16(NONE))[order, np.arange(codes.shape[1])]
    picked = np.full((codes.shape[1], MOST), NONE, np.int16)  # there may be fewer families than places
    picked[:, : len(chosen)] = chosen.T
    return picked


def _fall_back(known: Rules, picked: Codes, pushes: Vector, said: Readings, verdict: Vector) -> None:
    """Gives a true fact to customers the model left without a reason; changes `picked` in place."""
    towards = np.where(verdict > 0, said.risk, said.loyalty)
    for name in FALLBACKS:
        at = known.families.index(name)
        _fill(picked, towards[at], pushes[at] * verdict >= 0)
    at = known.families.index("frequency")
    is_one_time = said.risk[at] == rules.CODE["one_order_only"]
    _fill(picked, said.risk[at], is_one_time & (pushes[at] >= 0))


def _fill(picked: Codes, code: Codes, may: Mask) -> None:
    is_open = (picked[:, 0] == NONE) & may
    picked[is_open, 0] = code[is_open]


def as_lists(picked: Codes) -> pa.ListArray:
    """The codes themselves, as a list<string> array."""
    is_given = picked != NONE
    offsets = np.concatenate([[0], np.cumsum(is_given.sum(axis=1))]).astype(np.int32)
    texts = pa.array(families.CODES, pa.string()).take(pa.array(picked[is_given]))
    return pa.ListArray.from_arrays(pa.array(offsets), texts)
