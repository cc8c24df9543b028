"""One possible future per customer, drawn from the closed form: what intervals learn from when no window has closed.

Given alive at T: lambda ~ Gamma(r + x, alpha + T) under every order model. Leaving: under BG/NBD with probability
p ~ Beta(a, b + x) after each order (Fader, Hardie & Lee 2005, section 4); under MBG/NBD with p ~ Beta(a, b + x + 1),
for there was one chance more; under Pareto/NBD after an exponential time of rate mu ~ Gamma(s, beta + T). Spend per
order is Gamma(p, nu) with nu ~ Gamma(q + p n, v + n m) (Fader & Hardie 2013, section 2: n orders of mean m add up to
n m).
"""

from __future__ import annotations

import numpy as np

from tiercast.contract.vectors import Mask, Vector
from tiercast.models import btyd
from tiercast.models.btyd import Btyd
from tiercast.models.frame import Frame
from tiercast.models.mbgnbd import MbgNbd
from tiercast.models.orders import OrderModel
from tiercast.models.paretonbd import ParetoNbd

MOST_ORDERS = 5000


def draw(model: Btyd, frame: Frame, churn_days: float, value_days: float, seed: int) -> tuple[Vector, Vector]:
    """(money in the value horizon, 1.0 where no order fell in the churn horizon), one entry per buyer."""
    rng = np.random.default_rng(seed)
    x, age = frame["n_repeat_orders"], frame["age_days"]
    rate = rng.gamma(model.orders.r + x) / (model.orders.alpha + age)
    leave, lifetime = _leaving(rng, model.orders, x, age)
    active = rng.random(len(x)) < frame[btyd.P_ALIVE]
    until = np.minimum(lifetime, max(churn_days, value_days))
    n_orders, first = _orders(rng, rate, leave, active, until, value_days)
    return _money(rng, model, frame, n_orders), (first >= churn_days).astype(np.float64)


def _leaving(rng: np.random.Generator, model: OrderModel, x: Vector, age: Vector) -> tuple[Vector, Vector]:
    """For customers alive today: their probability to leave after an order, and the day they leave on otherwise."""
    never, no_day = np.zeros(len(x)), np.full(len(x), np.inf)
    if isinstance(model, ParetoNbd):
        rate = rng.gamma(model.s, size=len(x)) / (model.beta + age)
        return never, np.divide(rng.exponential(size=len(x)), rate, out=no_day, where=rate > 0)
    chances = x + 1.0 if isinstance(model, MbgNbd) else x
    return (rng.beta(model.a, model.b + chances) if model.a > 0 else never), no_day


def _orders(
    rng: np.random.Generator, rate: Vector, leave: Vector, active: Mask, until: Vector, value_days: float
) -> tuple[Vector, Vector]:
    """Orders inside `value_days`, and the day of the first order (infinite when there is none)."""
    n_orders, first, day = np.zeros(len(rate)), np.full(len(rate), np.inf), np.zeros(len(rate))
    for _ in range(MOST_ORDERS):
        day = np.where(active, day + rng.exponential(size=len(rate)) / rate, np.inf)
        ordered = day < until
        if not ordered.any():
            break
        first = np.where(ordered, np.minimum(first, day), first)
        n_orders += ordered & (day < value_days)
        active = ordered & (rng.random(len(rate)) >= leave)
    return n_orders, first


def _money(rng: np.random.Generator, model: Btyd, frame: Frame, n_orders: Vector) -> Vector:
    p, q, v = model.money
    m = np.nan_to_num(frame["order_value_mean"], nan=0.0)
    n = np.where(m > 0, frame["n_orders"], 0.0)
    nu = rng.gamma(q + p * n) / (v + n * m)
    return np.where(n_orders > 0, rng.gamma(np.maximum(p * n_orders, 1e-12)) / nu, 0.0)
