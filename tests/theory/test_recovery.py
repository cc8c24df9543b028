"""Simulate with known parameters, fit, and find them again: within the error that the fit itself states."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import simulate
from benchmarks.simulate import Summaries, World
from tiercast.contract.vectors import Vector
from tiercast.models import bgnbd, gamma_gamma, mbgnbd, paretonbd
from tiercast.models.bgnbd import BgNbd
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.models.mbgnbd import MbgNbd
from tiercast.models.paretonbd import ParetoNbd
from tiercast.training.btyd import families, fit_gamma_gamma, fit_orders

pytestmark = pytest.mark.slow

WORLDS = {
    "default": World(),
    "cdnow-like": World(bg=BgNbd(r=0.25, alpha=31.0, a=0.8, b=2.4)),
    "quick to leave": World(bg=BgNbd(r=1.5, alpha=50.0, a=2.0, b=2.0)),
    "frequent": World(bg=BgNbd(r=2.0, alpha=20.0, a=0.4, b=8.0), days=400),
    "uneven money": World(gg=GammaGamma(p=2.0, q=1.8, v=30.0)),
}


@pytest.mark.parametrize("name", WORLDS)
def test_the_truth_lies_within_the_stated_error(name: str) -> None:
    world = WORLDS[name]
    s = simulate.summarise(simulate.simulate(world, 60_000, np.random.default_rng(11)), world.days)
    bg, gg = fit_orders.fit(s.x, s.t_x, s.T, families.BGNBD), fit_gamma_gamma.fit(s.x, s.m)
    assert bg.standard_errors is not None
    assert gg.standard_errors is not None
    found = np.array([*bg.params, *gg.params])
    errors = np.array([*bg.standard_errors, *gg.standard_errors])
    truth = np.array([*world.bg, *world.gg])
    assert (np.abs(found - truth) < 4 * errors).all()  # seven numbers, five worlds: 4 errors are not chance
    assert (errors < 0.2 * truth).all()


@pytest.mark.parametrize("name", WORLDS)
def test_the_fit_explains_the_data_better_than_the_truth_does(name: str) -> None:
    """The maximum is a maximum; the gain is half a chi-square with as many degrees as parameters."""
    world = WORLDS[name]
    s = simulate.summarise(simulate.simulate(world, 60_000, np.random.default_rng(12)), world.days)
    bg = (
        fit_orders.fit(s.x, s.t_x, s.T, families.BGNBD).log_likelihood
        - bgnbd.log_likelihood(world.bg, s.x, s.t_x, s.T).sum()
    )
    gg = fit_gamma_gamma.fit(s.x, s.m).log_likelihood - gamma_gamma.log_likelihood(world.gg, s.x, s.m).sum()
    assert -1e-4 < bg < 15
    assert -1e-4 < gg < 15


def test_standard_errors_cover_the_truth_as_often_as_they_should() -> None:
    """60 worlds: of 240 distances in standard errors, about 68 % are below 1 (within 4 binomial errors)."""
    world, near = World(), []
    for seed in range(60):
        s = simulate.summarise(simulate.simulate(world, 4_000, np.random.default_rng(seed)), world.days)
        fit = fit_orders.fit(s.x, s.t_x, s.T, families.BGNBD)
        assert fit.standard_errors is not None
        near += [abs(f - t) < e for f, t, e in zip(fit.params, world.bg, fit.standard_errors, strict=True)]
    assert np.mean(near) == pytest.approx(0.683, abs=0.12)


def test_forecasts_of_the_next_90_days_come_true() -> None:
    """Fit on the first 500 days, count the orders and the silent customers of the 90 days after."""
    world = World(days=590)
    orders = simulate.simulate(world, 80_000, np.random.default_rng(13))
    is_known = orders.at < 500
    known = simulate.Orders(orders.customer[is_known], orders.at[is_known], orders.amount[is_known])
    customers = np.unique(known.customer)
    s = simulate.summarise(known, 500.0)
    later = np.bincount(orders.customer[orders.at >= 500], minlength=80_000)[customers]
    fit = fit_orders.fit(s.x, s.t_x, s.T, families.BGNBD).params
    assert bgnbd.expected_orders(fit, s.x, s.t_x, s.T, 90.0).sum() == pytest.approx(later.sum(), rel=0.02)
    assert bgnbd.p_no_order(fit, s.x, s.t_x, s.T, 90.0).mean() == pytest.approx((later == 0).mean(), abs=0.005)


def histories(leaves_at: Vector, random: np.random.Generator, rate: Vector) -> Summaries:
    """Poisson orders until a day of leaving or the 600th, seen at once: x and the last of so many uniform times."""
    T = np.full(len(rate), 600.0) - np.floor(random.random(len(rate)) * 300.0)
    until = np.minimum(leaves_at, T)
    x = random.poisson(rate * until).astype(np.float64)
    t_x = np.where(x > 0, until * random.random(len(rate)) ** (1.0 / np.maximum(x, 1.0)), 0.0)
    return Summaries(x, t_x, T, np.full(len(rate), np.nan))


def test_pareto_nbd_finds_its_truth_again() -> None:
    random, n, truth = np.random.default_rng(21), 60_000, ParetoNbd(r=0.8, alpha=40.0, s=0.7, beta=120.0)
    lifetime = random.exponential(size=n) / random.gamma(truth.s, 1.0 / truth.beta, n)
    s = histories(lifetime, random, random.gamma(truth.r, 1.0 / truth.alpha, n))
    fit = fit_orders.fit(s.x, s.t_x, s.T, families.PARETONBD)
    assert fit.standard_errors is not None
    assert (np.abs(np.array(fit.params) - truth) < 4 * np.array(fit.standard_errors)).all()
    assert 0 <= fit.log_likelihood - paretonbd.log_likelihood(truth, s.x, s.t_x, s.T).sum() < 15


def test_mbg_nbd_finds_its_truth_again() -> None:
    """BG/NBD's customers, of whom each had one chance more to leave: right after the first order."""
    truth = MbgNbd(r=0.9, alpha=60.0, a=0.8, b=2.0)
    random, n = np.random.default_rng(22), 60_000
    rate, chances = random.gamma(truth.r, 1.0 / truth.alpha, n), random.geometric(random.beta(truth.a, truth.b, n))
    T = np.full(n, 600.0)
    wanted = random.poisson(rate * T)
    x = np.minimum(wanted, chances - 1).astype(np.float64)
    t_x = np.where(x > 0, T * random.beta(np.maximum(x, 1.0), wanted - x + 1.0), 0.0)  # the x-th of `wanted` uniforms
    fit = fit_orders.fit(x, t_x, T, families.MBGNBD)
    assert fit.standard_errors is not None
    assert (np.abs(np.array(fit.params) - truth) < 4 * np.array(fit.standard_errors)).all()
    assert 0 <= fit.log_likelihood - mbgnbd.log_likelihood(truth, x, t_x, T).sum() < 15
