"""The factors of value: the chance of an order, the orders if there is any, and the money per order.

    value = p_order × orders_if_any × value_per_order

`p_order` carries the churn model's forecast to the value horizon. The closed form has the chance of an order in both
windows. Its log-odds in the value horizon are shifted by as much as the churn model shifts those in the churn horizon.
With equal horizons `p_order` is 1 - p_churn. Money per order is the closed form's, unless that would take less than one
order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from tiercast.contract import vectors
from tiercast.contract.vectors import Vector
from tiercast.models import btyd
from tiercast.models.btyd import Btyd
from tiercast.models.frame import Frame

SMALLEST = 1e-9
VALUE_PER_ORDER = "value_per_order"
"""In `Bundle.typical`: money per order of the typical customer at the value cut."""


class Factors(NamedTuple):
    """One entry per customer, NaN for prospects. `orders_if_any` is at least 1."""

    p_order: Vector
    orders_if_any: Vector
    value_per_order: Vector


def factors(model: Btyd, frame: Frame, p_churn: Vector, value: Vector, value_days: float) -> Factors:
    """The three factors of `value`. `frame` carries the closed form's columns; `p_churn` is the churn model's."""
    p_order = carry(1 - p_churn, 1 - frame[btyd.P_CHURN], btyd.p_order(model, frame, value_days))
    return split(p_order, value, frame[btyd.ORDER_VALUE])


def carry(kept: Vector, closed_kept: Vector, closed_order: Vector) -> Vector:
    """P(an order in the value horizon): the closed form's, its log-odds shifted as the churn model shifts P(kept).

    >>> carry(np.array([0.5]), np.array([0.2]), np.array([0.2])).round(3)      # equal horizons: P(kept) itself
    array([0.5])
    """
    return np.asarray(expit(_log_odds(closed_order) + _log_odds(kept) - _log_odds(closed_kept)))


def split(p_order: Vector, value: Vector, order_value: Vector) -> Factors:
    """The factors of `value`, given the chance of an order and the closed form's money per order.

    >>> split(np.array([0.5, 0.5]), np.array([60.0, 6.0]), np.array([40.0, 40.0]))
    Factors(p_order=array([0.5, 0.5]), orders_if_any=array([3., 1.]), value_per_order=array([40., 12.]))
    """
    if_any = value / np.maximum(p_order, SMALLEST)
    orders = np.maximum(if_any / np.maximum(order_value, SMALLEST), 1.0)
    return Factors(p_order, orders, if_any / orders)


def from_cut(parts: Factors, value_cut: float, value_per_order: float) -> tuple[Vector, Vector]:
    """log(value / value_cut) in two parts: expected orders, and money per order.

    They are measured from a customer at the cut who spends `value_per_order`.

    >>> parts = Factors(np.array([0.5]), np.array([4.0]), np.array([30.0]))     # 2 orders of 30, against 4 of 20
    >>> orders, money = from_cut(parts, 80.0, 20.0)
    >>> np.exp(orders).round(3), np.exp(money).round(3)
    (array([0.5]), array([1.5]))
    """
    orders = _log(parts.p_order * parts.orders_if_any) - _log(value_cut / value_per_order)
    return np.asarray(orders), np.asarray(_log(parts.value_per_order) - _log(value_per_order))


def _log(x: Vector | float) -> Vector:
    return np.asarray(np.log(np.maximum(x, SMALLEST)))


def _log_odds(p: Vector) -> Vector:
    return np.asarray(logit(vectors.bounded(p, SMALLEST, 1 - SMALLEST)))
