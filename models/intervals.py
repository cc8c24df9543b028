"""How sure we are: what really happened to customers predicted alike, on windows later than the models.

Customers are grouped by predicted value (bins whose edges include the value cut) and by which side
of the churn cut they fall, so that no group spans two tiers. Within a group the distribution of
realised ÷ predicted gives the interval: split conformal prediction with groups (Vovk, Gammerman &
Shafer 2005, section 4.5, "Mondrian"), free of any assumption on the shape.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.vectors import Vector
from tiers.grid import Cuts

Table = NDArray[np.float64]
SMALLEST = 1e-9


class Intervals(NamedTuple):
    """One row per value bin, one column per side of the churn cut (0: loyal, 1: slipping).

    `edges` are the inner bin edges in money; `low` and `high` multiply the predicted value;
    `high_if_kept` and `high_if_lost` are P(realised value >= cut) given an order in the churn horizon or none.
    """

    edges: Vector
    low: Table
    high: Table
    high_if_kept: Table
    high_if_lost: Table


class Certainty(NamedTuple):
    value_low: Vector
    value_high: Vector
    p_high_value: Vector
    tier_confidence: Vector
    is_borderline: NDArray[np.bool_]


def cell(table: Table | Vector, edges: Vector, value: Vector, p_churn: Vector, p_cut: float) -> NDArray[np.intp]:
    """The position of each customer's group in a table read row by row."""
    return 2 * np.searchsorted(edges, value, side="right") + (p_churn > p_cut)


def certainty(model: Intervals, value: Vector, p_churn: Vector, tiers: NDArray[np.str_], cuts: Cuts) -> Certainty:
    """The five columns of a score that say how sure it is; NaN (and False) for prospects."""
    group = cell(model.low, model.edges, value, p_churn, cuts.p_churn)
    low, high = (table.ravel()[group] * value for table in (model.low, model.high))
    if_kept, if_lost = (table.ravel()[group] for table in (model.high_if_kept, model.high_if_lost))
    kept = 1 - p_churn
    outcomes = {
        "A": kept * if_kept,
        "B": p_churn * if_lost,
        "C": kept * (1 - if_kept),
        "D": p_churn * (1 - if_lost),
        "E": p_churn,
    }
    confidence = np.select([tiers == t for t in outcomes], list(outcomes.values()), default=np.nan)
    return Certainty(
        low, high, kept * if_kept + p_churn * if_lost, confidence, (low < cuts.value) & (cuts.value <= high)
    )
