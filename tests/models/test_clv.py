"""Lifetime value: discounting by hand, and against lifetimes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests import lifetimes_objects
from tiercast.models import bgnbd, clv, gamma_gamma
from tiercast.models.bgnbd import BgNbd
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.training.btyd import lifetimes_bridge

BG, GG = BgNbd(r=0.25, alpha=31.0, a=0.79, b=2.43), GammaGamma(p=6.25, q=3.74, v=15.44)
X, T_X, T = np.array([2.0, 0.0, 7.0]), np.array([213.0, 0.0, 250.0]), np.array([272.0, 100.0, 260.0])
M = np.array([22.35, np.nan, 40.0])


def test_without_a_rate_value_is_orders_times_money() -> None:
    orders = bgnbd.expected_orders(BG, X, T_X, T, 365.0)
    money = gamma_gamma.expected_order_value(GG, X, M)
    assert clv.clv(BG, GG, X, T_X, T, X, M, 365.0).tolist() == (orders * money).tolist()


def test_a_tiny_rate_changes_almost_nothing() -> None:
    plain, discounted = (clv.clv(BG, GG, X, T_X, T, X, M, 365.0, monthly_rate=rate) for rate in (0.0, 1e-9))
    assert discounted == pytest.approx(plain, rel=1e-7)


def test_one_month_is_discounted_once() -> None:
    month = clv.DAYS_PER_MONTH
    plain, discounted = (clv.clv(BG, GG, X, T_X, T, X, M, month, monthly_rate=rate) for rate in (0.0, 0.02))
    assert discounted == pytest.approx(plain / 1.02)


def test_a_higher_rate_and_a_shorter_horizon_are_worth_less() -> None:
    cheap, dear = (clv.clv(BG, GG, X, T_X, T, X, M, 365.0, monthly_rate=rate) for rate in (0.01, 0.05))
    short = clv.clv(BG, GG, X, T_X, T, X, M, 200.0, monthly_rate=0.01)
    assert (dear < cheap).all()
    assert (short < cheap).all()


def test_twelve_months_are_as_lifetimes_counts_them() -> None:
    """lifetimes has months of 30 units; in units of 30.4375 / 30 days both have the same months."""
    unit = clv.DAYS_PER_MONTH / 30.0
    known = ~np.isnan(M)
    theirs = lifetimes_objects.gamma_gamma_fitter(GG).customer_lifetime_value(
        lifetimes_bridge.orders_fitter(BG._replace(alpha=BG.alpha / unit)),
        *(pd.Series(part[known]) for part in (X, T_X / unit, T / unit, M)),
        time=12,
        discount_rate=0.01,
        freq="D",
    )
    ours = clv.clv(BG, GG, X, T_X, T, X, M, 365.25, monthly_rate=0.01)
    assert ours[known] == pytest.approx(theirs.to_numpy(), rel=1e-9)
