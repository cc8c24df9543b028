"""At most three coded reasons for a customer's letter: why they stay or leave, and why their value is high or low.

A reason for staying or leaving is given only where the contributions of its family point in its direction *and* its
conditions hold for the customer. Reasons for the letter come first, the strongest first: those of risk in B, D and E,
those of loyalty in A and C. Reasons against it may fill the places left, if they are notable. The reason for the value
(`tiers.value_reasons`) is the second one.

Contributions are log-odds of churn, compared with the typical customer at the churn cut. Their sum is the distance from
the cut, so at least one of them points to the side that the customer is on.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask, Vector
from tiercast.tiers import families, grid, rules
from tiercast.tiers.rules import CODE, NONE, Codes, Rules, TrueReasons

MOST = 3
LEAST_CONTRIBUTION = 0.02  # log-odds: moves no probability by more than half a point
NOTABLE_SHARE = 0.2  # of all contributions in either direction
SILENCE = "silence"
FALLBACKS = (SILENCE, "frequency")
OVERALL_RISK, OVERALL_LOYAL = CODE[families.OVERALL["risk"]], CODE[families.OVERALL["loyalty"]]
_REPEATS = np.array([CODE.get(families.REPEATS.get(code, ""), -2) for code in (*families.CODES, "")], np.int16)
_BLOCK = 1 << 12  # customers at a time: their arrays stay in a core's own cache
_IS_LOYAL = np.isin(grid.TIERS, grid.HIGH_LOYALTY)
_INACTIVE = grid.TIERS.index("E")


def choose(
    contributions: Mapping[str, Vector],
    features: Mapping[str, Vector],
    tiers: NDArray[np.intp],
    value_reasons: Codes,
    *,
    typical: Mapping[str, float],
) -> Codes:
    """At most three reasons per customer, as numbers of `families.CODES`: shape (customers, 3), -1 for an empty place.

    `contributions` are sums per family, in log-odds of churn; a missing family contributes 0. `features` are columns of
    the feature table, `tiers` are `grid.numbers`. `value_reasons` has a code per customer, or -1. `typical` has the
    bundle's numbers that conditions compare with; without one of them, its reasons are not given.

    Inactive customers get their silence first. A customer without a reason for their letter gets one about silence or
    frequency, if it is true and the model does not contradict it, else one about all contributions together.

    >>> features = {"n_orders": np.array([6.0, 0.0]), "silence_over_gap": np.array([6.2, np.nan])}
    >>> contributions, tiers = {"silence": np.array([1.3, 0.0])}, grid.numbers(np.array(["D", "F"]))
    >>> as_lists(choose(contributions, features, tiers, np.array([NONE, NONE]), typical={})).to_pylist()
    [['silent_5x_usual_gap'], ['never_ordered']]
    """
    names = tuple(name for name in families.NAMES if name in contributions or name in FALLBACKS)
    bound = rules.bind(tuple(features), names, tuple(typical.items()))
    chosen = np.empty((len(tiers), MOST), np.int16)
    zero = np.zeros(min(_BLOCK, len(tiers)))
    for start in range(0, len(tiers), _BLOCK):
        block = slice(start, start + _BLOCK)
        n = len(tiers[block])
        by_family = np.stack([contributions[name][block] if name in contributions else zero[:n] for name in names])
        true = rules.true_reasons(bound, {name: column[block] for name, column in features.items()}, n)
        chosen[block] = _arrange(_choose(bound, by_family, true, tiers[block]), value_reasons[block])
        chosen[block][true.is_prospect] = (CODE[families.NEVER_ORDERED.code], *[NONE] * (MOST - 1))
    return chosen


def _choose(bound: Rules, contributions: Vector, true: TrueReasons, tiers: NDArray[np.intp]) -> Codes:
    explained = _explain(bound, contributions, true)
    towards_loyalty = _IS_LOYAL[tiers]
    support = np.where(towards_loyalty, -explained, explained)
    codes = _supported(explained, true)
    rank = np.where(codes == NONE, -np.inf, _rank(support))
    silence = bound.families.index(SILENCE)
    is_inactive = (tiers == _INACTIVE) & (true.risk[silence] != NONE)
    if is_inactive.any():
        codes[silence, is_inactive], rank[silence, is_inactive] = true.risk[silence, is_inactive], np.inf
    needs_one = ~(rank > 0).any(axis=0)
    if needs_one.any():
        fallback = np.where(needs_one, _fall_back(bound, support, true, towards_loyalty), np.int16(NONE))
        codes, rank = np.vstack([codes, fallback]), np.vstack([rank, np.where(needs_one, 0.0, -np.inf)])
    return _strongest(codes, rank)


def _explain(bound: Rules, contributions: Vector, true: TrueReasons) -> Vector:
    """Moves contributions to the first family that explains them and has a true reason."""
    moved = contributions.copy()
    for family, is_risk, others in bound.explanations:
        own, codes = contributions[family], true.risk if is_risk else true.loyalty
        is_left = own > 0 if is_risk else own < 0
        for other in others:
            if not is_left.any():
                break
            moves = is_left & (codes[other] != NONE)
            moved[other] += np.where(moves, own, 0.0)
            moved[family, moves] = 0.0
            is_left &= ~moves
    return moved


def _supported(contributions: Vector, true: TrueReasons) -> Codes:
    """The true reason of each family in the direction that its contribution points."""
    loyalty = np.where(contributions <= -LEAST_CONTRIBUTION, true.loyalty, np.int16(NONE))
    return np.where(contributions >= LEAST_CONTRIBUTION, true.risk, loyalty)


def _rank(support: Vector) -> Vector:
    """Above 0 for the letter, below 0 where notable and against it, else -inf; the greatest rank comes first."""
    size = np.abs(support)
    total = functools.reduce(np.add, size)  # in this order for one customer and for many
    against = np.where(size >= NOTABLE_SHARE * total, -1.0 / np.maximum(size, LEAST_CONTRIBUTION), -np.inf)
    return np.where(support > 0, support, against)


def _fall_back(bound: Rules, support: Vector, true: TrueReasons, towards_loyalty: Mask) -> Codes:
    """A plain fact in the letter's direction that the model does not contradict, else the sum of all contributions."""
    codes = np.where(towards_loyalty, OVERALL_LOYAL, OVERALL_RISK).astype(np.int16)
    for name in reversed(FALLBACKS):
        row = bound.families.index(name)
        fact = np.where(towards_loyalty, true.loyalty[row], true.risk[row])
        codes = np.where((fact != NONE) & (support[row] >= 0), fact, codes)
    return codes


def _strongest(codes: Codes, rank: Vector) -> Codes:
    """The three codes of the highest ranks per customer."""
    order = np.argsort(-rank, axis=0, kind="stable")[:MOST]
    customers = np.arange(codes.shape[1])
    strongest = np.where(rank[order, customers] > -np.inf, codes[order, customers], np.int16(NONE))
    chosen = np.full((codes.shape[1], MOST), NONE, np.int16)  # there may be fewer families than places
    chosen[:, : len(strongest)] = strongest.T
    return chosen


def _arrange(chosen: Codes, value: Codes) -> Codes:
    """The strongest reason, the value's, then the others, without those that repeat what these two say."""
    first, *others = chosen.T
    repeated = _REPEATS[first], _REPEATS[value]
    second, third = (np.where((code == repeated[0]) | (code == repeated[1]), np.int16(NONE), code) for code in others)
    has_second, has_value = second != NONE, value != NONE
    next_one, last = np.where(has_second, second, third), np.where(has_second, third, np.int16(NONE))
    return np.stack([first, np.where(has_value, value, next_one), np.where(has_value, next_one, last)], axis=1)


def as_lists(chosen: Codes) -> pa.ListArray:
    """The codes as texts, in a list<string> array."""
    is_given = chosen != NONE
    offsets = np.concatenate([[0], np.cumsum(is_given.sum(axis=1))]).astype(np.int32)
    texts = pa.array(families.CODES, pa.string()).take(pa.array(chosen[is_given]))
    return pa.ListArray.from_arrays(pa.array(offsets), texts)
