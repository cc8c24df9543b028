"""The closed-form view of a customer: an order model (BG/NBD or a sister) for how often, Gamma-Gamma for how much.

It needs no features but the history's summary, holds its level as a cohort ages, and gives the
boosted models their starting point.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tiercast.contract.vectors import Mask, Vector
from tiercast.models import clv, gamma_gamma
from tiercast.models import orders as order_models
from tiercast.models.frame import Frame
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.models.orders import OrderModel

P_ALIVE, P_CHURN, ORDERS, ORDER_VALUE, VALUE = (
    "btyd_p_alive",
    "btyd_p_churn",
    "btyd_expected_orders",
    "btyd_order_value",
    "btyd_value",
)
NAMES = (P_ALIVE, P_CHURN, ORDERS, ORDER_VALUE, VALUE)
_HISTORY = ("n_repeat_orders", "recency_days", "age_days")


class Btyd(NamedTuple):
    """Both models, and the money per order a one-time buyer is expected to bring (Gamma-Gamma's mean)."""

    orders: OrderModel
    money: GammaGamma


def views(model: Btyd, frame: Frame, churn_days: float, value_days: float) -> dict[str, Vector]:
    """The `btyd_` columns: probabilities over `churn_days`, orders and money over `value_days`.

    NaN for prospects (no order yet: n_orders == 0).
    """
    x, t_x, T = (frame[name] for name in _HISTORY)
    known = _known(T)
    history = x[known], t_x[known], T[known]
    alive = order_models.p_alive(model.orders, *history)
    silent = order_models.p_no_order(model.orders, *history, churn_days, alive)
    orders = order_models.expected_orders(model.orders, *history, value_days, alive)
    per_order = gamma_gamma.expected_order_value(model.money, *_spending(frame, known))
    found = (alive, silent, orders, per_order, orders * per_order)
    return {name: _spread(column, known, len(T)) for name, column in zip(NAMES, found, strict=True)}


def p_order(model: Btyd, frame: Frame, days: float) -> Vector:
    """P(an order in the next `days`) by the order model; NaN for prospects. `frame` has the `btyd_` columns."""
    x, t_x, T = (frame[name] for name in _HISTORY)
    known = _known(T)
    alive = frame[P_ALIVE][known]
    silent = order_models.p_no_order(model.orders, x[known], t_x[known], T[known], days, alive)
    return _spread(1 - silent, known, len(T))


def discounted(model: Btyd, frame: Frame, value_days: float, monthly_rate: float) -> Vector:
    """The closed-form CLV over `value_days`; NaN for prospects. `frame` may carry the `btyd_` columns already."""
    if monthly_rate == 0.0 and VALUE in frame:
        return frame[VALUE]
    x, t_x, T = (frame[name] for name in _HISTORY)
    known = _known(T)
    history = x[known], t_x[known], T[known]
    money = clv.clv(
        model.orders, model.money, *history, *_spending(frame, known), value_days, monthly_rate=monthly_rate
    )
    return _spread(money, known, len(T))


def _spending(frame: Frame, known: Mask | slice) -> tuple[Vector, Vector]:
    """All orders and their mean value, the first order's too; the mean is NaN where nothing was spent."""
    n, m = frame["n_orders"][known], frame["order_value_mean"][known]
    return n, np.where(m > 0, m, np.nan)


def _known(T: Vector) -> Mask | slice:
    """Who has ordered: all, mostly, and then there is nothing to pick."""
    known = ~np.isnan(T)
    return slice(None) if known.all() else known


def _spread(found: Vector, known: Mask | slice, customers: int) -> Vector:
    """What was found for those who are known, NaN for the others."""
    if isinstance(known, slice):
        return found
    out = np.full(customers, np.nan)
    out[known] = found
    return out
