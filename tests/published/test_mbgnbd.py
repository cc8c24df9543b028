"""MBG/NBD on CDNOW: the published fit, and lifetimes at the same parameters as an independent second way. Weeks."""

from __future__ import annotations

import numpy as np
import pytest

from tests.published import cdnow
from tiercast.models import mbgnbd
from tiercast.models.mbgnbd import MbgNbd
from tiercast.training.btyd import families, fit_orders, lifetimes_bridge

PUBLISHED = MbgNbd(r=0.525, alpha=6.183, a=0.891, b=1.614)


def test_fit_is_the_published_one() -> None:
    data = cdnow.sample()
    fit = fit_orders.fit(data.x, data.t_x, data.T, families.MBGNBD)
    assert fit.params == pytest.approx(PUBLISHED, abs=5e-4)
    assert fit.has_dropout


def test_every_answer_is_that_of_lifetimes() -> None:
    x, t_x, T, _, _ = cdnow.sample()
    theirs = lifetimes_bridge.orders_fitter(PUBLISHED)
    weeks = np.array([1.0, 10.0, 39.0, 78.0])
    expected = theirs.conditional_expected_number_of_purchases_up_to_time(39.0, x, t_x, T)
    assert mbgnbd.expected_orders(PUBLISHED, x, t_x, T, 39.0) == pytest.approx(expected, rel=1e-9)
    assert mbgnbd.p_alive(PUBLISHED, x, t_x, T) == pytest.approx(theirs.conditional_probability_alive(x, t_x, T))
    of_new = theirs.expected_number_of_purchases_up_to_time(weeks)
    assert mbgnbd.expected_orders_of_new(PUBLISHED, weeks) == pytest.approx(of_new, rel=1e-9)


def test_one_time_buyers_can_be_gone() -> None:
    """(b / (a + b)) alive after the first order; after 38 silent weeks fewer."""
    once = np.zeros(2)
    alive = mbgnbd.p_alive(PUBLISHED, once, once, np.array([0.0, 38.0]))
    assert alive[0] == pytest.approx(1.614 / (0.891 + 1.614))
    assert alive[1] < alive[0]
