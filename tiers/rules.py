"""The reasons of all families, bound to the columns of one feature table.

A reason has conditions (`tiers.families`). Which reasons a table can decide, and by which comparisons, is the same for
every request to a bundle, so `bind` works it out once. `true_reasons` then evaluates each comparison once, and the
first reasons of all families together, then the second ones, and so on.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask, Vector
from tiercast.tiers import conditions, families
from tiercast.tiers.conditions import BoundCondition
from tiercast.tiers.families import Reason, ReasonFamily

NONE = -1
Codes: TypeAlias = NDArray[np.int16]
"""Numbers of `families.CODES`; -1 for no reason."""
Rows: TypeAlias = NDArray[np.intp]
CODE = {code: i for i, code in enumerate(families.CODES)}


class Rank(NamedTuple):
    """The reasons that stand at the same place in the lists of their families: all first ones, all second ones, ...

    `rows` are their rows in `TrueReasons`, each at most once. `conditions` has a column per reason:
    the numbers of the comparisons that must hold. The number after the last comparison always holds.
    """

    rows: Rows
    codes: Codes
    conditions: Rows


class Explanation(NamedTuple):
    """A contribution of `family` in one direction is explained by the first of `others` that has a true reason."""

    family: int
    is_risk: bool
    others: tuple[int, ...]


class Rules(NamedTuple):
    """What a table can decide. `families` are names; numbers of families count these."""

    families: tuple[str, ...]
    comparisons: tuple[BoundCondition, ...]
    ranks: tuple[Rank, ...]
    explanations: tuple[Explanation, ...]


class TrueReasons(NamedTuple):
    """The first reason that is true, as a code, or -1: a row per family, a column per customer."""

    risk: Codes
    loyalty: Codes
    is_prospect: Mask


@functools.lru_cache(maxsize=64)
def bind(columns: tuple[str, ...], names: tuple[str, ...], typical: tuple[tuple[str, float], ...]) -> Rules:
    """The rules of the families with these names, for a table with these columns and a base's typical values."""
    chosen = [family for family in families.FAMILIES if family.name in names]
    lists = (*(family.risk for family in chosen), *(family.loyalty for family in chosen), (families.NEVER_ORDERED,))
    window = conditions.reference_window(columns)
    place = functools.partial(conditions.bind, columns=frozenset(columns), typical=dict(typical), window=window)
    decidable = [_decidable(reasons, place) for reasons in lists]
    comparisons = tuple(dict.fromkeys(one for rules in decidable for rule in rules for one in rule.comparisons))
    ranks = itertools.zip_longest(*decidable)
    return Rules(
        tuple(family.name for family in chosen),
        comparisons,
        tuple(_rank(list(rules), comparisons) for rules in ranks),
        tuple(_explanations(chosen)),
    )


class _Rule(NamedTuple):
    code: int
    comparisons: list[BoundCondition]


def _decidable(reasons: Iterable[Reason], place: functools.partial[BoundCondition | None]) -> list[_Rule]:
    """The reasons whose columns and typical values are all known."""
    placed = [(CODE[reason.code], [place(condition) for condition in reason.when]) for reason in reasons]
    return [_Rule(code, [one for one in comparisons if one]) for code, comparisons in placed if None not in comparisons]


def _rank(rules: Sequence[_Rule | None], comparisons: Sequence[BoundCondition]) -> Rank:
    number = {comparison: k for k, comparison in enumerate(comparisons)}
    there = [(row, rule) for row, rule in enumerate(rules) if rule]
    numbers = itertools.zip_longest(
        *([number[one] for one in rule.comparisons] for _, rule in there), fillvalue=len(comparisons)
    )
    return Rank(
        np.array([row for row, _ in there], np.intp),
        np.array([[rule.code] for _, rule in there], np.int16),
        np.array(list(numbers), np.intp).reshape(-1, len(there)),
    )


def _explanations(chosen: Sequence[ReasonFamily]) -> Iterable[Explanation]:
    place = {family.name: row for row, family in enumerate(chosen)}
    for row, family in enumerate(chosen):
        for is_risk, others in ((True, family.risk_explained_by), (False, family.loyalty_explained_by)):
            if others:
                yield Explanation(row, is_risk, tuple(place[name] for name in others))


def true_reasons(rules: Rules, columns: Mapping[str, Vector], customers: int) -> TrueReasons:
    """Each family's first reason that is true of each customer, in both directions."""
    holds = np.ones((len(rules.comparisons) + 1, customers), np.bool_)
    for out, comparison in zip(holds, rules.comparisons, strict=False):
        comparison.evaluate(columns, out)
    n = len(rules.families)
    codes = np.full((2 * n + 1, customers), NONE, np.int16)
    for rank in reversed(rules.ranks):  # earlier reasons replace later ones
        is_true = np.logical_and.reduce(holds[rank.conditions], axis=0)
        codes[rank.rows] = np.where(is_true, rank.codes, codes[rank.rows])
    return TrueReasons(codes[:n], codes[n : 2 * n], codes[2 * n] != NONE)
