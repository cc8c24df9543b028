"""Pareto/NBD on CDNOW: the published fit, and lifetimes at the same parameters as an independent second way. Weeks."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from tests.published import cdnow
from tiercast.models import paretonbd
from tiercast.models.paretonbd import ParetoNbd
from tiercast.training.btyd import families, fit_orders, lifetimes_bridge
from tiercast.training.btyd.fit_orders import OrdersFit

PUBLISHED = ParetoNbd(r=0.55315, alpha=10.57633, s=0.60625, beta=11.67150)


@functools.cache
def our_fit() -> OrdersFit[ParetoNbd]:
    data = cdnow.sample()
    return fit_orders.fit(data.x, data.t_x, data.T, families.PARETONBD)


def test_fit_is_the_published_one() -> None:
    """The top is flat: the published parameters stop a thousandth short of it, far inside the standard errors."""
    fit = our_fit()
    assert fit.params == pytest.approx(PUBLISHED, rel=5e-4)
    assert fit.log_likelihood == pytest.approx(-9594.976, abs=0.001)
    assert fit.has_dropout


def test_log_likelihood_at_the_published_parameters_is_the_published_one() -> None:
    x, t_x, T, _, _ = cdnow.sample()
    total = paretonbd.log_likelihood(PUBLISHED, x, t_x, T).sum()
    assert total == pytest.approx(-9594.976, abs=5e-4)
    assert our_fit().log_likelihood >= total


def test_every_answer_is_that_of_lifetimes() -> None:
    x, t_x, T, _, _ = cdnow.sample()
    theirs = lifetimes_bridge.orders_fitter(PUBLISHED)
    weeks = np.array([1.0, 10.0, 39.0, 78.0])
    expected = theirs.conditional_expected_number_of_purchases_up_to_time(39.0, x, t_x, T)
    assert paretonbd.expected_orders(PUBLISHED, x, t_x, T, 39.0) == pytest.approx(expected, rel=1e-9)
    assert paretonbd.p_alive(PUBLISHED, x, t_x, T) == pytest.approx(theirs.conditional_probability_alive(x, t_x, T))
    silent = theirs.conditional_probability_of_n_purchases_up_to_time(0, 39.0, x, t_x, T)
    assert paretonbd.p_no_order(PUBLISHED, x, t_x, T, 39.0) == pytest.approx(silent, rel=1e-9)
    of_new = theirs.expected_number_of_purchases_up_to_time(weeks)
    assert paretonbd.expected_orders_of_new(PUBLISHED, weeks) == pytest.approx(of_new, rel=1e-9)
