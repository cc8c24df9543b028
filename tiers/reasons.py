"""At most three coded reasons per customer for their risk of churn.

A reason is given only where the contributions of its family point in its direction *and* its conditions hold for the
customer. Reasons for the verdict come first, the strongest first: those of risk where p_churn is above the grid's cut,
else those of loyalty. Reasons against it may fill the places left, if they are notable.

Contributions are log-odds of churn relative to the average customer. Positive ones raise the risk. Each of them, the
closed form's included, should average about zero at training.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from tiercast.contract.vectors import Mask, Vector
from tiercast.tiers import families, rules
from tiercast.tiers.rules import NONE, Codes, Rules, TrueReasons

MOST = 3
LEAST_CONTRIBUTION = 0.02  # log-odds: moves no probability by more than half a point
NOTABLE_SHARE = 0.2  # of all contributions in either direction
FALLBACKS = ("silence", "frequency")
_BLOCK = 1 << 12  # customers at a time: their arrays stay in a core's own cache


def choose(
    contributions: Mapping[str, Vector],
    features: Mapping[str, Vector],
    p_churn: Vector,
    *,
    cut: float,
    typical: Mapping[str, float],
) -> Codes:
    """At most three reasons per customer, as numbers of `families.CODES`: shape (customers, 3), -1 for an empty place.

    `contributions` are sums per family, in log-odds of churn; a missing family contributes 0. `features` are columns of
    the feature table, `cut` is the grid's cut of p_churn. `typical` has the base's typical values at training of money
    features; without one of them, no order value is called high or low.

    A customer without a reason gets a reason of `FALLBACKS`, if it is true in the verdict's direction (or is
    `one_order_only`) and the model does not contradict it.

    >>> features = {"n_orders": np.array([6.0, 0.0]), "silence_over_gap": np.array([6.2, np.nan])}
    >>> contributions = {"silence": np.array([1.3, 0.0])}
    >>> as_lists(choose(contributions, features, np.array([0.8, np.nan]), cut=0.5, typical={})).to_pylist()
    [['silent_5x_usual_gap'], ['never_ordered']]
    """
    names = tuple(name for name in families.NAMES if name in contributions or name in FALLBACKS)
    bound = rules.bind(tuple(features), names, tuple(typical.items()))
    chosen = np.empty((len(p_churn), MOST), np.int16)
    for start in range(0, len(p_churn), _BLOCK):
        block = slice(start, start + _BLOCK)
        is_leaving = p_churn[block] > cut
        zero = np.zeros(len(is_leaving))
        by_family = np.stack([contributions[name][block] if name in contributions else zero for name in names])
        true = rules.true_reasons(bound, {name: column[block] for name, column in features.items()}, len(is_leaving))
        chosen[block] = _choose(bound, by_family, true, is_leaving)
    return chosen


def _choose(bound: Rules, contributions: Vector, true: TrueReasons, is_leaving: Mask) -> Codes:
    explained = _explain(bound, contributions, true)
    verdict = np.where(is_leaving, 1.0, -1.0)
    chosen = _strongest(_supported(explained, true), explained * verdict)
    _fall_back(bound, chosen, explained, true, verdict)
    chosen[true.is_prospect] = (rules.CODE[families.NEVER_ORDERED.code], *[NONE] * (MOST - 1))
    return chosen


def _explain(bound: Rules, contributions: Vector, true: TrueReasons) -> Vector:
    """Moves contributions to the first family that explains them and has a true reason."""
    moved = contributions.copy()
    for family, is_risk, others in bound.explanations:
        own, codes = contributions[family], true.risk if is_risk else true.loyalty
        is_left = own > 0 if is_risk else own < 0
        for other in others:
            moves = is_left & (codes[other] != NONE)
            moved[other] += np.where(moves, own, 0.0)
            moved[family, moves] = 0.0
            is_left &= ~moves
    return moved


def _supported(contributions: Vector, true: TrueReasons) -> Codes:
    """The true reason of each family in the direction that its contribution points."""
    loyalty = np.where(contributions <= -LEAST_CONTRIBUTION, true.loyalty, np.int16(NONE))
    return np.where(contributions >= LEAST_CONTRIBUTION, true.risk, loyalty)


def _strongest(codes: Codes, support: Vector) -> Codes:
    """Three codes per customer; `support` is each family's contribution in the verdict's direction."""
    size = np.abs(support)
    total = functools.reduce(np.add, size)  # in this order for one customer and for many
    is_given = (codes != NONE) & ((support > 0) | (size >= NOTABLE_SHARE * total))
    # Opposing reasons rank below every supporting one, the strong ones first: -1/size does both.
    rank = np.where(support > 0, support, -1.0 / np.maximum(size, LEAST_CONTRIBUTION))
    order = np.argsort(np.where(is_given, -rank, np.inf), axis=0, kind="stable")[:MOST]
    strongest = np.where(is_given, codes, np.int16(NONE))[order, np.arange(codes.shape[1])]
    chosen = np.full((codes.shape[1], MOST), NONE, np.int16)  # there may be fewer families than places
    chosen[:, : len(strongest)] = strongest.T
    return chosen


def _fall_back(bound: Rules, chosen: Codes, contributions: Vector, true: TrueReasons, verdict: Vector) -> None:
    """Gives a true reason to customers the model left without one; changes `chosen` in place."""
    towards = np.where(verdict > 0, true.risk, true.loyalty)
    for name in FALLBACKS:
        row = bound.families.index(name)
        _fill(chosen, towards[row], contributions[row] * verdict >= 0)
    row = bound.families.index("frequency")
    is_one_time = true.risk[row] == rules.CODE["one_order_only"]
    _fill(chosen, true.risk[row], is_one_time & (contributions[row] >= 0))


def _fill(chosen: Codes, code: Codes, is_allowed: Mask) -> None:
    is_open = (chosen[:, 0] == NONE) & is_allowed
    chosen[is_open, 0] = code[is_open]


def as_lists(chosen: Codes) -> pa.ListArray:
    """The codes as texts, in a list<string> array."""
    is_given = chosen != NONE
    offsets = np.concatenate([[0], np.cumsum(is_given.sum(axis=1))]).astype(np.int32)
    texts = pa.array(families.CODES, pa.string()).take(pa.array(chosen[is_given]))
    return pa.ListArray.from_arrays(pa.array(offsets), texts)
