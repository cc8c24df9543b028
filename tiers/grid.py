"""The loyalty × value grid: six letters, two cuts and a day count, frozen in the bundle.

              value >= cut     value < cut
    loyal          A                C            p_churn <= cut
    slipping       B                D            p_churn >  cut

    E  silent for `inactive_days` or longer, regardless of value and p_churn
    F  known, never ordered: no value and no risk

A customer's tier depends on their own numbers and the cuts, never on other customers. If the previous tier is known,
`hold` keeps it until the numbers leave a band around the cut, so that customers near a cut do not flicker.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract import errors
from tiercast.contract.vectors import Mask, Text, Vector

TIERS = ("A", "B", "C", "D", "E", "F")
IN_GRID, HIGH_VALUE, HIGH_LOYALTY = ("A", "B", "C", "D"), ("A", "B"), ("A", "C")
_LETTERS = np.array(TIERS, dtype="<U1")


class Cuts(NamedTuple):
    """The cuts of the grid: `value` in money, `inactive_days` in days; None means that no customer is inactive.

    The bands are half-widths: of the value cut as a share of it, of the churn cut in probability.
    """

    value: float
    p_churn: float = 0.5
    inactive_days: float | None = None
    value_band: float = 0.0
    p_churn_band: float = 0.0


class TierSummary(NamedTuple):
    """One row per tier. None means that no customer of the tier has such a number, which is not zero.

    `value_at_risk` is the sum of p_churn × value: the value expected to be lost by churn.
    """

    tier: str
    customers: int
    share: float
    value_total: float | None
    value_mean: float | None
    p_churn_mean: float | None
    value_at_risk: float | None


def assign(p_churn: Vector, value: Vector, silence_days: Vector, n_orders: Vector, cuts: Cuts) -> Text:
    """The letter of each customer; `p_churn`, `value` and `silence_days` may be NaN for prospects only.

    The cuts are half-open: at the value cut is high, at the churn cut is loyal, at the day count is inactive.

    >>> p_churn, value = np.array([0.5, 0.51, 0.5, 0.51, 0.9, np.nan]), np.array([100, 100, 99, 99, 500, np.nan])
    >>> silence, orders = np.array([9, 9, 9, 9, 400, np.nan]), np.array([5, 5, 5, 5, 5, 0])
    >>> assign(p_churn, value, silence, orders, Cuts(value=100, inactive_days=400)).tolist()
    ['A', 'B', 'C', 'D', 'E', 'F']
    """
    is_prospect = ~(n_orders > 0)
    is_inactive = np.zeros(len(value), bool) if cuts.inactive_days is None else silence_days >= cuts.inactive_days
    _refuse_unknown(~is_prospect & ~is_inactive, p_churn, value)
    in_grid = cell(p_churn, value, cuts.p_churn, cuts.value)
    return _LETTERS[np.where(is_prospect, 5, np.where(is_inactive, 4, in_grid))]


def cell(p_churn: Vector, value: Vector, churn_cut: Vector | float, value_cut: Vector | float) -> NDArray[np.intp]:
    """The cell of the grid, 0 to 3 for A to D, by the two numbers alone; inactivity and overrides play no part.

    >>> cell(np.array([0.5, 0.5, 0.51]), np.array([100.0, 99.9, 100.0]), 0.5, 100.0).tolist()
    [0, 2, 1]
    """
    return np.asarray(2 * ~(value >= value_cut) + (p_churn > churn_cut), dtype=np.intp)


def hold(tiers: Text, previous: Text, p_churn: Vector, value: Vector, cuts: Cuts) -> Text:
    """The tiers given the previous ones: a customer crosses a cut only by leaving its band on the other side.

    `previous` is "" for customers without one. E and F are never held: they are facts, not forecasts near a cut.

    >>> raw, before = np.array(["A", "A", "D", "D"]), np.array(["C", "C", "B", "A"])
    >>> p_churn, value = np.array([0.1, 0.1, 0.7, 0.52]), np.array([105.0, 125.0, 95.0, 79.0])
    >>> hold(raw, before, p_churn, value, Cuts(100.0, value_band=0.2, p_churn_band=0.05)).tolist()
    ['C', 'A', 'B', 'C']
    """
    is_bound = np.isin(tiers, IN_GRID) & np.isin(previous, IN_GRID)
    value_cut = cuts.value * np.where(np.isin(previous, HIGH_VALUE), 1 - cuts.value_band, 1 + cuts.value_band)
    churn_cut = cuts.p_churn + np.where(np.isin(previous, HIGH_LOYALTY), cuts.p_churn_band, -cuts.p_churn_band)
    return np.where(is_bound, _LETTERS[cell(p_churn, value, churn_cut, value_cut)], tiers)


def is_borderline(tiers: Text, p_churn: Vector, value: Vector, cuts: Cuts) -> Mask:
    """Whether a customer of A to D stands inside the band of a cut: a small change would change the letter.

    >>> tiers, p_churn = np.array(["A", "A", "C", "E"]), np.array([0.1, 0.46, 0.1, 0.5])
    >>> is_borderline(tiers, p_churn, np.array([104.0, 150.0, 94.0, 100.0]), Cuts(100.0, 0.5, None, 0.05, 0.05))
    array([ True,  True, False, False])
    """
    is_near_value = np.abs(value - cuts.value) <= cuts.value_band * cuts.value
    is_near_churn = np.abs(p_churn - cuts.p_churn) <= cuts.p_churn_band
    return np.asarray(np.isin(tiers, IN_GRID) & (is_near_value | is_near_churn))


def numbers(tiers: Text) -> NDArray[np.intp]:
    """The number of each letter in `TIERS`: 0 to 5.

    >>> numbers(np.array(["C", "A", "F"])).tolist()
    [2, 0, 5]
    """
    return np.searchsorted(_LETTERS, tiers)


def status(tiers: Text) -> Text:
    """`inactive` for E, `prospect` for F, `scored` for the four cells of the grid."""
    return np.where(tiers == "F", "prospect", np.where(tiers == "E", "inactive", "scored"))


def summarise(tiers: Text, value: Vector, p_churn: Vector) -> list[TierSummary]:
    """Six rows, A to F: customers, value, and value at risk.

    >>> rows = summarise(np.array(["A", "A", "F"]), np.array([100.0, 300.0, np.nan]), np.array([0.5, 0.1, np.nan]))
    >>> tuple(rows[0])
    ('A', 2, 0.6666666666666666, 400.0, 200.0, 0.3, 80.0)
    >>> rows[5].value_total is None
    True
    """
    return [_row(tier, tiers == tier, value, p_churn) for tier in TIERS]


def _row(tier: str, is_here: Mask, value: Vector, p_churn: Vector) -> TierSummary:
    total, mean = _sum_and_mean(value[is_here])
    lost, _ = _sum_and_mean(p_churn[is_here] * value[is_here])
    customers = int(is_here.sum())
    share = customers / len(is_here) if len(is_here) else 0.0
    return TierSummary(tier, customers, share, total, mean, _sum_and_mean(p_churn[is_here])[1], lost)


def _sum_and_mean(numbers: Vector) -> tuple[float | None, float | None]:
    known = numbers[~np.isnan(numbers)]
    return (float(known.sum()), float(known.mean())) if len(known) else (None, None)


def _refuse_unknown(is_in_grid: Mask, p_churn: Vector, value: Vector) -> None:
    is_bad = is_in_grid & (np.isnan(p_churn) | np.isnan(value))
    if is_bad.any():
        first = int(np.argmax(is_bad))
        raise errors.BadInput(
            "p_churn or value is missing, so no cell of the grid fits.",
            count=int(is_bad.sum()),
            total=int(is_in_grid.sum()),
            unit="active customers",
            first=f"row {first}, p_churn {p_churn[first]:g}, value {value[first]:g}",
            hint="only prospects (n_orders 0) may lack them; check the features these customers were scored from.",
        )
