"""Both closed-form models from one feature table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from models.btyd import Btyd
from training.btyd import fit_bgnbd, fit_gamma_gamma
from training.btyd.fit_bgnbd import BgNbdFit
from training.btyd.fit_gamma_gamma import GammaGammaFit


class Fits(NamedTuple):
    orders: BgNbdFit
    money: GammaGammaFit


def fits(features: pd.DataFrame) -> Fits:
    """BG/NBD and Gamma-Gamma for the buyers of a feature table (rows without an order are left out).

    Raises NotEnoughData or FitFailed as the two fits do.
    """
    buyers = features[features["n_orders"] > 0]
    x, t_x, T = (buyers[name].to_numpy(np.float64) for name in ("n_repeat_orders", "recency_days", "age_days"))
    m = buyers["repeat_order_value"].to_numpy(np.float64)
    spent = (x > 0) & (np.nan_to_num(m, nan=0.0) > 0)
    return Fits(fit_bgnbd.fit(x, t_x, T), fit_gamma_gamma.fit(x[spent], m[spent]))


def fit(features: pd.DataFrame) -> Btyd:
    """The parameters alone."""
    orders, money = fits(features)
    return Btyd(orders.params, money.params)
