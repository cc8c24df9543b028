"""Customer lifetime value in closed form: expected orders times Gamma-Gamma money, discounted.

Fader, Hardie & Lee (2005), "RFM and CLV: using iso-value curves for customer base analysis", Journal of
Marketing Research 42. Orders and their value are assumed to be independent, so the two expectations multiply.
"""

from __future__ import annotations

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.models import gamma_gamma, orders
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.models.orders import OrderModel

DAYS_PER_MONTH = 30.4375  # 365.25 / 12


def clv(
    model: OrderModel,
    gg: GammaGamma,
    x: Vector,
    t_x: Vector,
    T: Vector,
    n: Vector,
    m: Vector,
    horizon: float,
    *,
    monthly_rate: float = 0.0,
) -> Vector:
    """Expected money in the next `horizon` days, at least 0. Times in days, a month is 30.4375 days.

    Gamma-Gamma learns from `n` orders of mean value `m`: a bundle's from all orders, the textbook's from repeat orders.

    With `monthly_rate`, orders count as if they came at the end of their month (the last, cut month ends
    at the horizon) and are divided by (1 + monthly_rate) ** months.

    >>> from tiercast.models.bgnbd import BgNbd
    >>> bg, gg = BgNbd(r=0.25, alpha=31.0, a=0.79, b=2.43), GammaGamma(p=6.25, q=3.74, v=15.44)
    >>> customer = np.array([2.0]), np.array([213.0]), np.array([272.0]), np.array([3.0]), np.array([22.35])
    >>> bool(clv(bg, gg, *customer, 365.0) > clv(bg, gg, *customer, 365.0, monthly_rate=0.01) > 0)
    True
    """
    value = gamma_gamma.expected_order_value(gg, n, m)
    if monthly_rate == 0.0:
        return orders.expected_orders(model, x, t_x, T, horizon) * value
    return _discounted_orders(model, x, t_x, T, horizon, monthly_rate) * value


def _discounted_orders(model: OrderModel, x: Vector, t_x: Vector, T: Vector, horizon: float, rate: float) -> Vector:
    total, before = np.zeros(np.shape(x)), np.zeros(np.shape(x))
    for end in _month_ends(horizon):
        until_end = orders.expected_orders(model, x, t_x, T, end)
        total += (until_end - before) / (1.0 + rate) ** (end / DAYS_PER_MONTH)
        before = until_end
    return total


def _month_ends(horizon: float) -> list[float]:
    """The days on which months end, the last one being the horizon itself.

    >>> _month_ends(65.0)
    [30.4375, 60.875, 65.0]
    """
    full = int(np.ceil(horizon / DAYS_PER_MONTH)) - 1
    return [*(DAYS_PER_MONTH * (month + 1) for month in range(full)), horizon]
