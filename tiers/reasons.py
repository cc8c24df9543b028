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
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiers import facts as known_facts
from tiers import families
from tiers.vectors import Mask, Text, Vector

MOST = 3
LEAST_PUSH = 0.02  # log-odds: moves no probability by more than half a point
NOTABLE_SHARE = 0.2  # of all pushes in either direction
FALLBACKS = ("silence", "frequency")
_SLICE = 1 << 15  # customers at a time: the work stays in a few dozen MB however many there are
_NONE = -1

Codes: TypeAlias = NDArray[np.int16]
Families: TypeAlias = tuple[families.Family, ...]
_CODE = {code: i for i, code in enumerate(families.CODES)}


class Readings(NamedTuple):
    """Per family spoken for (rows) and customer (columns), the reading that would be true, or -1."""

    risk: Codes
    loyalty: Codes


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
    return choose_by_family(by_family(contributions, len(p_churn)), facts, p_churn, cut=cut, typical=typical)


def choose_by_family(
    pushes: Mapping[str, Vector],
    facts: Mapping[str, Vector],
    p_churn: Vector,
    *,
    cut: float = 0.5,
    typical: Mapping[str, float] | None = None,
) -> pa.ListArray:
    """The same from contributions that are already summed by family; a family that is not there pushes nobody."""
    window = known_facts.reference_window(facts)
    spoken_for = tuple(family for family in families.FAMILIES if family.name in pushes or family.name in FALLBACKS)
    picked = []
    for start in range(0, max(len(p_churn), 1), _SLICE):
        part = slice(start, start + _SLICE)
        known = known_facts.Known({name: column[part] for name, column in facts.items()}, typical or {}, window, {})
        picked.append(
            _pick(spoken_for, {name: push[part] for name, push in pushes.items()}, known, p_churn[part] > cut)
        )
    return _as_lists(np.concatenate(picked))


def by_family(contributions: Mapping[str, Vector], customers: int) -> dict[str, Vector]:
    """Contributions per feature summed by family, what is not known as 0; features nobody speaks for are left out."""
    pushes: dict[str, Vector] = {}
    for feature, column in contributions.items():
        family = families.family_of(feature)
        if family is not None:
            pushes[family] = pushes.get(family, np.zeros(customers)) + np.nan_to_num(column)
    return pushes


def nobody(customers: int) -> pa.ListArray:
    """No reasons for anybody."""
    return spread(_as_lists(np.empty((0, MOST), np.int16)), np.empty(0, np.intp), customers)


def spread(reasons: pa.ListArray, rows: NDArray[np.intp], customers: int) -> pa.ListArray:
    """Reasons of some customers, in the order of their `rows`, as lists for all; the others get none."""
    counts = np.zeros(customers, np.int32)
    counts[rows] = np.diff(reasons.offsets.to_numpy())
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)), reasons.values)


def first(reasons: pa.ListArray | pa.ChunkedArray) -> Text:
    """The leading code of each customer, "" where there is none."""
    return np.asarray(leading(reasons).fill_null("").to_numpy(zero_copy_only=False), dtype=np.str_)


def leading(reasons: pa.ListArray | pa.ChunkedArray) -> pa.StringArray:
    """The same as an Arrow array, null where there is none."""
    lists = reasons.combine_chunks() if isinstance(reasons, pa.ChunkedArray) else reasons
    offsets = lists.offsets.to_numpy()
    return lists.values.take(pa.array(offsets[:-1], mask=offsets[:-1] == offsets[1:]))


def _pick(spoken_for: Families, given: Mapping[str, Vector], known: known_facts.Known, is_leaving: Mask) -> Codes:
    """The code numbers of one slice of customers: one row each, -1 where a place stays empty."""
    customers = len(is_leaving)
    readings = _readings(spoken_for, known, customers)
    nothing = np.zeros(customers)
    pushes = _lend(spoken_for, np.stack([given.get(family.name, nothing) for family in spoken_for]), readings)
    verdict = np.where(is_leaving, 1.0, -1.0)
    codes = _codes_given(pushes, readings)
    picked = _strongest(codes, pushes * verdict)
    _fall_back(spoken_for, picked, pushes, readings, verdict)
    is_prospect = known_facts.all_hold(families.NEVER_ORDERED.when, known, customers)
    picked[is_prospect] = (_CODE[families.NEVER_ORDERED.code], *[_NONE] * (MOST - 1))
    return picked


def _readings(spoken_for: Families, known: known_facts.Known, customers: int) -> Readings:
    risk = [_first_true(family.risk, known, customers) for family in spoken_for]
    loyalty = [_first_true(family.loyalty, known, customers) for family in spoken_for]
    return Readings(np.stack(risk), np.stack(loyalty))


def _first_true(reasons: tuple[families.Reason, ...], known: known_facts.Known, customers: int) -> Codes:
    code = np.full(customers, _NONE, np.int16)
    for reason in reversed(reasons):
        code[known_facts.all_hold(reason.when, known, customers)] = _CODE[reason.code]
    return code


def _lend(spoken_for: Families, pushes: Vector, readings: Readings) -> Vector:
    """Moves what a family lends to the first family that can put it into words."""
    moved, place = pushes.copy(), _places(spoken_for)
    for i, family in enumerate(spoken_for):
        for sign, borrowers, said in (
            (1, family.lends_risk, readings.risk),
            (-1, family.lends_loyalty, readings.loyalty),
        ):
            is_left = sign * pushes[i] > 0
            for name in borrowers:
                to = place[name]
                goes = is_left & (said[to] != _NONE)
                moved[to] += np.where(goes, pushes[i], 0.0)
                moved[i, goes] = 0.0
                is_left &= ~goes
    return moved


def _codes_given(pushes: Vector, readings: Readings) -> Codes:
    against = np.where(pushes <= -LEAST_PUSH, readings.loyalty, np.int16(_NONE))
    return np.where(pushes >= LEAST_PUSH, readings.risk, against)


def _strongest(codes: Codes, along: Vector) -> Codes:
    """Three code numbers per customer; `along` is each family's push in the verdict's direction."""
    size = np.abs(along)
    total = functools.reduce(np.add, size)  # in this order for one customer and for many
    is_said = (codes != _NONE) & ((along > 0) | (size >= NOTABLE_SHARE * total))
    # Opposing reasons rank below every supporting one, the strong ones first: -1/size does both.
    rank = np.where(along > 0, along, -1.0 / np.maximum(size, LEAST_PUSH))
    order = np.argsort(np.where(is_said, -rank, np.inf), axis=0, kind="stable")[:MOST]
    chosen = np.take_along_axis(np.where(is_said, codes, np.int16(_NONE)), order, axis=0)
    picked = np.full((codes.shape[1], MOST), _NONE, np.int16)  # there may be fewer families than places
    picked[:, : len(chosen)] = chosen.T
    return picked


def _places(spoken_for: Families) -> dict[str, int]:
    return {family.name: i for i, family in enumerate(spoken_for)}


def _fall_back(spoken_for: Families, picked: Codes, pushes: Vector, readings: Readings, verdict: Vector) -> None:
    """Gives a true fact to customers the model left without a reason; changes `picked` in place."""
    place = _places(spoken_for)
    towards = np.where(verdict > 0, readings.risk, readings.loyalty)
    for name in FALLBACKS:
        at = place[name]
        _fill(picked, towards[at], pushes[at] * verdict >= 0)
    at = place["frequency"]
    is_one_time = readings.risk[at] == _CODE["one_order_only"]
    _fill(picked, readings.risk[at], is_one_time & (pushes[at] >= 0))


def _fill(picked: Codes, code: Codes, may: Mask) -> None:
    is_open = (picked[:, 0] == _NONE) & may
    picked[is_open, 0] = code[is_open]


def _as_lists(picked: Codes) -> pa.ListArray:
    is_given = picked != _NONE
    offsets = np.concatenate([[0], np.cumsum(is_given.sum(axis=1))]).astype(np.int32)
    texts = pa.array(families.CODES, pa.string()).take(pa.array(picked[is_given]))
    return pa.ListArray.from_arrays(pa.array(offsets), texts)
