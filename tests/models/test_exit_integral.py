"""The odds of having left in silence, against the textbook's hypergeometric functions and plain integration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate
from scipy.special import gamma, hyp2f1

from tiercast.models import exit_integral, paretonbd
from tiercast.models.exit_integral import ExitRates
from tiercast.models.paretonbd import ParetoNbd


def textbook_odds(R: float, alpha: float, s: float, beta: float, t: float, T: float) -> float:
    """Fader & Hardie (2005): s / (R + s) times A_0, which has one form for alpha >= beta and another for below."""

    def term(y: float) -> float:
        if alpha >= beta:
            series = hyp2f1(R + s, s + 1, R + s + 1, (alpha - beta) / (alpha + y))
            return float(series / (alpha + y) ** (R + s))
        series = hyp2f1(R + s, R, R + s + 1, (beta - alpha) / (beta + y))
        return float(series / (beta + y) ** (R + s))

    return s / (R + s) * (term(t) - term(T)) * (alpha + T) ** R * (beta + T) ** s


@pytest.mark.parametrize(
    ("R", "alpha", "s", "beta", "t", "T"),
    [
        (2.5, 10.6, 0.6, 11.7, 30.0, 39.0),
        (0.5, 10.6, 0.6, 11.7, 0.0, 39.0),
        (0.5, 60.0, 0.6, 2.0, 0.0, 700.0),
        (12.3, 5.0, 2.0, 300.0, 200.0, 700.0),
        (8.0, 300.0, 0.05, 5.0, 10.0, 700.0),
        (1.0, 40.0, 3.0, 40.0, 5.0, 6.0),
    ],
)
def test_odds_are_those_of_the_textbook_in_both_of_its_forms(
    R: float, alpha: float, s: float, beta: float, t: float, T: float
) -> None:
    answer = exit_integral.log_odds(ExitRates(np.array([R]), alpha, s, beta), np.array([t]), np.array([T]))
    assert np.exp(answer[0]) == pytest.approx(textbook_odds(R, alpha, s, beta, t, T), rel=1e-9)


def test_a_customer_of_two_thousand_orders_overflows_nothing() -> None:
    """alpha == beta has an antiderivative: odds = s / (R + s) (((alpha + T) / (alpha + t)) ** (R + s) - 1)."""
    R, alpha, s, t, T = 2000.5, 3.0, 0.7, 300.0, 700.0
    answer = exit_integral.log_odds(ExitRates(np.array([R]), alpha, s, alpha), np.array([t]), np.array([T]))
    expected = np.log(s / (R + s)) + (R + s) * np.log((alpha + T) / (alpha + t))
    assert answer[0] == pytest.approx(expected, rel=1e-12)


def test_nobody_leaves_in_no_time_or_without_a_rate() -> None:
    now = np.array([5.0])
    assert exit_integral.log_odds(ExitRates(now, 10.0, 0.5, 10.0), now, now).tolist() == [-np.inf]
    assert exit_integral.log_odds(ExitRates(now, 10.0, 0.0, 1.0), now, now + 9.0).tolist() == [-np.inf]


def test_likelihood_is_the_integral_over_all_customers() -> None:
    """A second way: one customer's likelihood, integrated over the rates of ordering and leaving."""
    r, alpha, s, beta = 1.5, 30.0, 1.2, 45.0
    x, t_x, T = 2, 40.0, 70.0

    def one_customer(mu: float, rate: float) -> float:
        both = rate + mu
        left_or_stayed = mu / both * np.exp(-both * t_x) + rate / both * np.exp(-both * T)
        return float(
            rate**x * left_or_stayed * rate ** (r - 1) * np.exp(-alpha * rate) * mu ** (s - 1) * np.exp(-beta * mu)
        )

    total, _ = integrate.dblquad(one_customer, 1e-12, 1.0, 1e-12, 1.0, epsabs=1e-16)
    expected = np.log(total * alpha**r / gamma(r) * beta**s / gamma(s))
    customer = np.array([2.0]), np.array([t_x]), np.array([T])
    assert paretonbd.log_likelihood(ParetoNbd(r, alpha, s, beta), *customer)[0] == pytest.approx(expected, abs=1e-5)


def test_expected_orders_are_those_of_simulated_customers() -> None:
    """A second way: draw both rates from the posterior of an alive customer, and let them live."""
    random, n = np.random.default_rng(5), 400_000
    model, x, T, h = ParetoNbd(r=0.8, alpha=40.0, s=1.0, beta=60.0), 4.0, 200.0, 365.0
    rate = random.gamma(model.r + x, 1 / (model.alpha + T), n)
    lifetime = random.exponential(size=n) / random.gamma(model.s, 1 / (model.beta + T), n)
    found = random.poisson(rate * np.minimum(lifetime, h))
    alive = np.array([x]), np.array([T]), np.array([T])
    error = 4 * found.std() / np.sqrt(n)
    assert paretonbd.p_alive(model, *alive)[0] == 1.0
    assert paretonbd.expected_orders(model, *alive, h)[0] == pytest.approx(found.mean(), abs=error)
    assert paretonbd.p_no_order(model, *alive, h)[0] == pytest.approx((found == 0).mean(), abs=2.0 / np.sqrt(n))


def test_a_mean_lifetime_that_does_not_exist_still_gives_finite_orders() -> None:
    """s = 1 is the limit of the closed form's (1 - s): (beta + T) log(1 + h / (beta + T)) days, by hand."""
    at_one = ParetoNbd(r=1.0, alpha=10.0, s=1.0, beta=10.0)
    near = at_one._replace(s=1.0 + 1e-9)
    alive = np.array([0.0]), np.array([0.0]), np.array([0.0])
    by_hand = 1.0 / 10.0 * 10.0 * np.log(1 + 30.0 / 10.0)
    assert paretonbd.expected_orders(at_one, *alive, 30.0)[0] == pytest.approx(by_hand, rel=1e-12)
    assert paretonbd.expected_orders(near, *alive, 30.0)[0] == pytest.approx(by_hand, rel=1e-8)


def test_on_the_first_day_nothing_has_been_observed() -> None:
    """P(history) is 1, whatever the parameters."""
    now = np.array([0.0])
    assert paretonbd.log_likelihood(ParetoNbd(0.3, 7.0, 2.0, 5.0), now, now, now)[0] == pytest.approx(0.0, abs=1e-12)
