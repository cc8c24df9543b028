"""Both closed-form models from one feature table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from tiercast.contract.vectors import Vector
from tiercast.models.btyd import Btyd
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.models.orders import OrderModel
from tiercast.training.btyd import families, fit_gamma_gamma, fit_orders
from tiercast.training.btyd.counts import Statistics
from tiercast.training.btyd.fit_gamma_gamma import GammaGammaFit
from tiercast.training.btyd.fit_orders import OrdersFit
from tiercast.training.check import independence
from tiercast.training.check.independence import Independence

NOTHING = "Nobody spent anything: an order is worth nothing."
WORTH_NOTHING = GammaGamma(p=1.0, q=2.0, v=1e-9)  # a mean of v: so little that no sum of money shows it


class Fits(NamedTuple):
    orders: OrdersFit[OrderModel]
    money: GammaGammaFit
    independence: Independence


def fits(features: pd.DataFrame, model: str) -> Fits:
    """The order model of that name and Gamma-Gamma for the buyers of a feature table (others are left out).

    Raises NotEnoughData or FitFailed as the two fits do.
    """
    x, t_x, T, m = history(features)
    orders = fit_orders.fit(x, t_x, T, families.BY_NAME[model])
    return Fits(orders, _fit_money(*_spending(features)), independence.measure(x, m))


def fit(counted: Statistics, model: str) -> Btyd:
    """The parameters alone, from what an engine has counted: those that the customers one by one would give."""
    orders = fit_orders.fit(counted.x, counted.t_x, counted.T, families.BY_NAME[model], counted.n)
    money = _fit_money(counted.orders, counted.mean, counted.n_spenders)
    return Btyd(orders.params, money.params)


def _fit_money(n: Vector, m: Vector, weights: Vector | None = None) -> GammaGammaFit:
    """Gamma-Gamma, or orders worth nothing where nobody spent anything: churn does not wait for money."""
    return fit_gamma_gamma.fit(n, m, weights) if len(n) else GammaGammaFit(WORTH_NOTHING, 0.0, None, 0, NOTHING)


def _spending(features: pd.DataFrame) -> tuple[Vector, Vector]:
    """All orders and their mean value, of those who spent something.

    The first order tells as much about a customer's money as any other, and for a one-time buyer it is all there is.
    """
    spenders = features[features["order_value_mean"] > 0]
    return spenders["n_orders"].to_numpy(np.float64), spenders["order_value_mean"].to_numpy(np.float64)


def history(features: pd.DataFrame) -> tuple[Vector, Vector, Vector, Vector]:
    """x, t_x, T in days and m, one entry per buyer."""
    buyers = features[features["n_orders"] > 0]
    columns = ("n_repeat_orders", "recency_days", "age_days", "repeat_order_value")
    x, t_x, T, m = (buyers[name].to_numpy(np.float64) for name in columns)
    return x, t_x, T, m
