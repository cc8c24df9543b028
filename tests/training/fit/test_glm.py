"""The shrunk linear model: the closed form where little is known, the truth where much is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit

from tiercast.training.fit import glm
from tiercast.training.fit.glm import Observations

RNG = np.random.default_rng(6)


def churners(n: int, coefficient: float) -> Observations:
    start, column = RNG.normal(size=n), RNG.normal(size=n)
    outcome = (RNG.random(n) < expit(start + coefficient * column)).astype(np.float64)
    return Observations(start, column[:, None], outcome, np.ones(n))


def buyers(n: int, coefficient: float) -> Observations:
    start, column = RNG.normal(size=n), RNG.normal(size=n)
    return Observations(start, column[:, None], RNG.gamma(2.0, np.exp(start + coefficient * column) / 2), np.ones(n))


def test_with_many_customers_the_coefficients_are_the_true_ones() -> None:
    assert glm.maximise(churners(200_000, 0.7), "binary") == pytest.approx([0.0, 0.7], abs=0.02)
    assert glm.maximise(buyers(200_000, 0.4), "tweedie") == pytest.approx([0.0, 0.4], abs=0.02)


def test_with_few_customers_it_stays_the_closed_form() -> None:
    assert np.abs(glm.maximise(churners(10, 3.0), "binary")).max() < 0.3


def test_the_maximum_is_that_of_a_general_optimiser() -> None:
    sample = churners(500, 1.0)

    def loss(point: np.ndarray) -> float:
        link = sample.start + point[0] + sample.columns[:, 0] * point[1]
        return float(np.sum(np.logaddexp(0, link) - sample.outcome * link) + 25 * np.sum(point**2))

    assert glm.maximise(sample, "binary") == pytest.approx(optimize.minimize(loss, np.zeros(2)).x, abs=1e-4)


def test_a_weight_of_two_is_the_customer_twice() -> None:
    sample = churners(300, 1.0)
    twice = Observations(*(np.concatenate([part, part[:50]]) for part in sample))
    weighed = sample._replace(weight=np.where(np.arange(300) < 50, 2.0, 1.0))
    assert glm.maximise(weighed, "binary") == pytest.approx(glm.maximise(twice, "binary"), abs=1e-6)
