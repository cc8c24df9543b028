"""The integral behind expected orders, two independent ways and in closed cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tiercast.models import beta_expectation


def size(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(np.log(low), np.log(high)).map(lambda power: float(np.exp(power)))


@given(size(1e-3, 1e3), size(1e-2, 1e4), size(1e-4, 2e3), size(1e-5, 1e3))
def test_series_and_summation_agree(a: float, B: float, R: float, s: float) -> None:
    """The answer comes from Euler's series wherever that keeps its digits; summation needs no such luck."""
    assume(min(a, B) > 1e-2 or s < 1.0)
    one = [np.array([value]) for value in (B, R, s)]
    answer = beta_expectation.orders_until_leaving(a, *one)
    assert answer == pytest.approx(beta_expectation.by_summation(a, *one), rel=2e-6)


def test_certain_values_are_known_by_hand() -> None:
    """a = B = 1 (p uniform): R = 1 gives the integral of s / (1 + p s), that is log(1 + s); R = 2 gives
    the integral of (2 s + p s^2) / (1 + p s)^2, that is log(1 + s) + s / (1 + s)."""
    s = np.array([0.5, 3.0])
    ones = np.ones(2)
    assert beta_expectation.orders_until_leaving(1.0, ones, ones, s) == pytest.approx(np.log1p(s), rel=1e-9)
    two = np.log1p(s) + s / (1 + s)
    assert beta_expectation.orders_until_leaving(1.0, ones, 2 * ones, s) == pytest.approx(two, rel=1e-9)


# Computed with mpmath 1.4.1, 40 digits, from the second line of the module's docstring.
@pytest.mark.parametrize(
    ("a", "B", "R", "s", "expected"),
    [
        (0.003, 6.339, 0.8354, 5.0, 4.170928298752686),
        (0.003, 506.339, 500.8354, 0.5, 250.25646518500457),
        (1e-06, 2.5, 3.5, 0.2, 0.6999998855592954),
        (0.793, 1502.4, 1500.243, 0.5, 634.670847204552),
        (1.0000001, 5.0, 26.7, 25.0, 24.92393843769434),
        (0.9999, 20.3, 20.1, 18.5, 60.112947216026164),
        (10000.0, 20000.0, 2.5, 0.9, 1.4431044153331556),
        (500.0, 900.0, 400.0, 2.0, 2.8036072144288577),
        (0.5, 0.2, 0.3, 3.0, 0.452213958143636),
        (7.0, 0.05, 0.01, 0.001, 9.994989151743449e-06),
        (2.0, 3000.0, 2000.0, 10.0, 2609.4023734027687),
    ],
)
def test_extreme_parameters_are_right(a: float, B: float, R: float, s: float, expected: float) -> None:
    answer = beta_expectation.orders_until_leaving(a, np.array([B]), np.array([R]), np.array([s]))
    assert answer[0] == pytest.approx(expected, rel=2e-7)


def test_the_pole_at_a_plus_b_equal_to_one_is_no_gap() -> None:
    B, one = np.array([0.7 - 1e-9, 0.7, 0.7 + 1e-9]), np.ones(3)
    before, at, after = beta_expectation.orders_until_leaving(0.3, B, 0.4 * one, 8.0 * one)
    assert at == pytest.approx((before + after) / 2, rel=1e-6)
