"""Disagreement of the trained models, which use all features, with the closed form, which uses the order history only.

Neither is always right. If they differ by more than the bounds below, a person should check before money is spent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector

RISK_APART = 0.2
"""Differing by more than 20 points of churn risk is a disagreement."""
VALUE_APART, LEAST_OF_CUT = 2.0, 0.25
"""So is a value more than twice the other, if they are more than a quarter of the value cut apart."""


def disagreement(
    p_churn: Vector, closed_p_churn: Vector, value: Vector, closed_value: Vector, value_cut: float
) -> NDArray[np.bool_]:
    """Whether risk or value differ beyond the bounds; False for prospects, who have neither.

    >>> disagreement(np.array([0.5, 0.5, 0.5]), np.array([0.4, 0.8, 0.5]), np.array([9.0, 9.0, 60.0]),
    ...              np.array([3.0, 9.0, 20.0]), value_cut=100.0)
    array([False,  True,  True])
    """
    risk = np.abs(p_churn - closed_p_churn) > RISK_APART
    larger, smaller = np.maximum(value, closed_value), np.minimum(value, closed_value)
    money = (larger > VALUE_APART * smaller) & (larger - smaller > LEAST_OF_CUT * value_cut)
    return np.asarray(risk | money)
