from __future__ import annotations

import numpy as np
import pytest

from tiercast.models import gamma_gamma
from tiercast.training.btyd import fit_gamma_gamma, shrunken_mean


def test_the_mean_of_all_counts_orders_and_one_own_order_pulls_towards_it() -> None:
    """By hand: 10 orders of 10 money and 10 of 30; mean 20; the spread does not fall with n, so K is least: 0.1."""
    n, m = np.array([2.0, 8.0, 2.0, 8.0]), np.array([10.0, 10.0, 30.0, 30.0])
    found = shrunken_mean.fit(n, m)
    expected = gamma_gamma.expected_order_value(found, np.array([0.0, 1.0]), np.array([np.nan, 30.0]))
    k = shrunken_mean.LEAST
    assert expected.tolist() == pytest.approx([20.0, (30 + 20 * k) / (1 + k)])


def test_k_is_the_variance_within_over_the_variance_between() -> None:
    random = np.random.default_rng(5)
    n = random.integers(1, 12, 60_000).astype(np.float64)
    own = random.normal(50.0, 2.0, len(n))
    m = own + random.normal(0.0, 6.0, len(n)) / np.sqrt(n)
    found = shrunken_mean.fit(n, m)
    assert found.q - 1 == pytest.approx(36 / 4, rel=0.15)
    assert found.p == 1.0


def test_rows_shared_by_customers_count_as_often() -> None:
    n, m, w = np.array([1.0, 2.0, 4.0]), np.array([9.0, 10.0, 11.0]), np.array([3.0, 1.0, 2.0])
    repeated = np.repeat([0, 1, 2], [3, 1, 2])
    assert shrunken_mean.fit(n, m, w) == pytest.approx(shrunken_mean.fit(n[repeated], m[repeated]))


@pytest.mark.parametrize("spread", [0.0, 1e-9, 1e-3], ids=["one price", "rounding", "nearly one price"])
def test_spending_that_does_not_differ_needs_no_gamma_gamma(spread: float) -> None:
    random = np.random.default_rng(2)
    n = random.integers(1, 9, 3000).astype(np.float64)
    m = 10 + spread * random.random(3000)
    found = fit_gamma_gamma.fit(n, m)
    assert found.note == fit_gamma_gamma.SHRUNKEN
    assert found.standard_errors is None
    expected = gamma_gamma.expected_order_value(found.params, np.append(n, 0.0), np.append(m, np.nan))
    assert expected == pytest.approx(np.full(3001, 10.0), abs=2 * spread + 1e-9)


def test_a_single_customer_is_enough_for_a_mean() -> None:
    found = fit_gamma_gamma.fit(np.array([3.0]), np.array([20.0]))
    assert gamma_gamma.expected_order_value(found.params, np.array([0.0]), np.array([np.nan])).tolist() == [20.0]
