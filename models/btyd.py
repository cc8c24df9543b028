"""The closed-form view of a customer: an order model (BG/NBD or a sister) for how often, Gamma-Gamma for how much.

It needs no features but the history's summary, holds its level as a cohort ages, and gives the
boosted models their starting point.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models import clv, gamma_gamma
from models import orders as order_models
from models.frame import Frame
from models.gamma_gamma import GammaGamma
from models.orders import OrderModel
from models.vectors import Vector

P_ALIVE, P_CHURN, ORDERS, ORDER_VALUE, VALUE = (
    "btyd_p_alive",
    "btyd_p_churn",
    "btyd_expected_orders",
    "btyd_order_value",
    "btyd_value",
)
NAMES = (P_ALIVE, P_CHURN, ORDERS, ORDER_VALUE, VALUE)


class Btyd(NamedTuple):
    """Both models, and the money per order a one-time buyer is expected to bring (Gamma-Gamma's mean)."""

    orders: OrderModel
    money: GammaGamma


def views(model: Btyd, frame: Frame, churn_days: float, value_days: float) -> dict[str, Vector]:
    """The `btyd_` columns: probabilities over `churn_days`, orders and money over `value_days`.

    NaN for prospects (no order yet: n_orders == 0).
    """
    x, t_x, T, m = _summary(frame)
    known = ~np.isnan(T)
    out = {name: np.full(len(T), np.nan) for name in NAMES}
    history = x[known], t_x[known], T[known]
    per_order = gamma_gamma.expected_order_value(model.money, x[known], m[known])
    out[P_ALIVE][known] = order_models.p_alive(model.orders, *history)
    out[P_CHURN][known] = order_models.p_no_order(model.orders, *history, churn_days)
    out[ORDERS][known] = order_models.expected_orders(model.orders, *history, value_days)
    out[ORDER_VALUE][known] = per_order
    out[VALUE][known] = out[ORDERS][known] * per_order
    return out


def p_order(model: Btyd, frame: Frame, days: float) -> Vector:
    """P(an order in the next `days`) by the order model; NaN for prospects."""
    x, t_x, T, _ = _summary(frame)
    known = ~np.isnan(T)
    out = np.full(len(T), np.nan)
    out[known] = 1 - order_models.p_no_order(model.orders, x[known], t_x[known], T[known], days)
    return out


def discounted(model: Btyd, frame: Frame, value_days: float, monthly_rate: float) -> Vector:
    """The closed-form CLV over `value_days`; NaN for prospects. `frame` may carry the `btyd_` columns already."""
    if monthly_rate == 0.0 and VALUE in frame:
        return frame[VALUE]
    x, t_x, T, m = _summary(frame)
    known = ~np.isnan(T)
    out = np.full(len(T), np.nan)
    history = x[known], t_x[known], T[known], m[known]
    out[known] = clv.clv(model.orders, model.money, *history, value_days, monthly_rate=monthly_rate)
    return out


def _summary(frame: Frame) -> tuple[Vector, Vector, Vector, Vector]:
    """x, t_x, T in days and m; m is NaN where no repeat order brought money."""
    m = frame["repeat_order_value"]
    positive = np.where(np.nan_to_num(m, nan=0.0) > 0, m, np.nan)
    return frame["n_repeat_orders"], frame["recency_days"], frame["age_days"], positive
