"""BG/NBD against the numbers of Fader, Hardie & Lee (2005) and of Hardie's spreadsheets. Times in weeks."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from tests.published import cdnow
from tiercast.models import bgnbd
from tiercast.models.bgnbd import BgNbd
from tiercast.training.btyd import families, fit_orders
from tiercast.training.btyd.fit_orders import OrdersFit

PUBLISHED = BgNbd(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)


@functools.cache
def our_fit() -> OrdersFit[BgNbd]:
    x, t_x, T, _, _ = cdnow.sample()
    return fit_orders.fit(x, t_x, T, families.BGNBD)


def test_the_sample_is_the_papers() -> None:
    data = cdnow.sample()
    assert len(data.x) == 2357
    assert data.holdout.sum() == 1882


def test_fit_is_fader_hardie_lee_to_four_digits() -> None:
    assert our_fit().params == pytest.approx(PUBLISHED, rel=5e-5)
    assert our_fit().log_likelihood == pytest.approx(-9582.429, abs=0.01)
    assert our_fit().has_dropout


def test_log_likelihood_at_the_published_parameters_is_the_published_one() -> None:
    x, t_x, T, _, _ = cdnow.sample()
    assert bgnbd.log_likelihood(PUBLISHED, x, t_x, T).sum() == pytest.approx(-9582.429, abs=0.001)


def test_customer_one_orders_as_often_as_in_hardies_spreadsheet() -> None:
    answer = bgnbd.expected_orders(PUBLISHED, np.array([2.0]), np.array([30.43]), np.array([38.86]), 39.0)
    assert answer == pytest.approx(1.226, abs=5e-4)


def test_expectation_for_a_new_customer_is_hardies() -> None:
    t = np.array([0.1429, 1.0, 3.0, 31.8571, 32.0, 78.0])
    expected = np.array([0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576])
    # Hardie's last number comes from a hypergeometric series cut off early; eq. 9 gives 1.8580
    assert bgnbd.expected_orders_of_new(PUBLISHED, t) == pytest.approx(expected, abs=5e-4)


def test_a_very_frequent_customer_is_as_in_the_r_package_btyd() -> None:
    busy = np.array([26.0]), np.array([30.857]), np.array([31.0])
    assert bgnbd.expected_orders(PUBLISHED, *busy, 52.0) == pytest.approx(25.75659, abs=5e-3)
    assert bgnbd.p_alive(PUBLISHED, *busy) == pytest.approx(0.9688523, abs=1e-5)


def test_of_customers_equally_silent_the_more_frequent_order_less() -> None:
    """The increasing frequency paradox as the R package BTYD shows it, with its own fit: orders in 52 weeks."""
    x = np.array([10.0, 15.0, 20.0, 25.0])
    answer = bgnbd.expected_orders(PUBLISHED, x, np.full(4, 20.0), np.full(4, 39.0), 52.0)
    assert answer == pytest.approx([0.3474606, 0.04283391, 0.004158973, 0.0003583685], rel=1e-4)
