"""A lifetimes object rebuilt from our parameters predicts what we predict."""

from __future__ import annotations

import numpy as np
import pytest

from tests import lifetimes_objects
from tests.published import cdnow
from tiercast.models import bgnbd, gamma_gamma
from tiercast.models.bgnbd import BgNbd
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.training.btyd import lifetimes_bridge

BG, GG = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426), GammaGamma(p=6.25, q=3.74, v=15.44)


def test_orders_and_life_are_the_same() -> None:
    data = cdnow.sample()
    theirs = lifetimes_bridge.orders_fitter(BG)
    orders = theirs.predict(39.0, data.x, data.t_x, data.T)
    assert bgnbd.expected_orders(BG, data.x, data.t_x, data.T, 39.0) == pytest.approx(orders, rel=1e-9)
    alive = theirs.conditional_probability_alive(data.x, data.t_x, data.T)
    assert bgnbd.p_alive(BG, data.x, data.t_x, data.T) == pytest.approx(alive, rel=1e-9)


def test_order_values_are_the_same() -> None:
    data = cdnow.sample()
    some = data.x > 0
    theirs = lifetimes_objects.gamma_gamma_fitter(GG).conditional_expected_average_profit(data.x[some], data.m[some])
    assert gamma_gamma.expected_order_value(GG, data.x, data.m)[some] == pytest.approx(theirs, rel=1e-9)


def test_no_dropout_survives_the_bridge() -> None:
    nbd = BgNbd(r=0.5, alpha=50.0, a=0.0, b=1.0)
    customer = np.array([3.0]), np.array([80.0]), np.array([100.0])
    theirs = lifetimes_bridge.orders_fitter(nbd).predict(30.0, *customer)
    assert theirs == pytest.approx(bgnbd.expected_orders(nbd, *customer, 30.0), rel=1e-6)
