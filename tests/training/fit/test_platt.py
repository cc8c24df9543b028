from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from tiercast.training.fit import platt


def test_a_known_line_is_recovered_from_simulated_outcomes() -> None:
    rng = np.random.default_rng(1)
    z = rng.normal(0, 1.5, 200_000)
    churned = (rng.random(len(z)) < expit(-0.4 + 0.6 * z)).astype(float)
    intercept, slope = platt.fit(z, churned)
    assert intercept == pytest.approx(-0.4, abs=0.02)
    assert slope == pytest.approx(0.6, abs=0.02)


def test_calibrated_probabilities_average_to_the_churn_rate() -> None:
    """The likelihood's own first-order condition, up to a prior worth 50 customers."""
    rng = np.random.default_rng(2)
    z = rng.normal(1, 1, 100_000)
    churned = (rng.random(len(z)) < 0.3).astype(float)
    intercept, slope = platt.fit(z, churned)
    assert expit(intercept + slope * z).mean() == pytest.approx(churned.mean(), abs=1e-3)
    assert slope == pytest.approx(0, abs=0.03)


def test_a_model_that_is_right_is_left_alone() -> None:
    rng = np.random.default_rng(3)
    z = rng.normal(0, 1, 100_000)
    churned = (rng.random(len(z)) < expit(z)).astype(float)
    intercept, slope = platt.fit(z, churned)
    assert intercept == pytest.approx(0, abs=0.03)
    assert slope == pytest.approx(1, abs=0.03)


def test_few_customers_do_not_move_the_line_far() -> None:
    """Five customers, all churned: the maximum lies at infinity, the prior holds the line near (0, 1)."""
    intercept, slope = platt.fit(np.zeros(5), np.ones(5))
    assert 0 < intercept < 0.1
    assert slope == pytest.approx(1)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_alone_stays_finite(label: float) -> None:
    line = platt.fit(np.linspace(-3, 3, 1000), np.full(1000, label))
    assert np.isfinite(line).all()
