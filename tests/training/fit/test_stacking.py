"""Weights: towards the member that is right, a third each where nothing tells them apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from tiercast.models import stack
from tiercast.training.fit import stacking
from tiercast.training.fit.boosting import Objective

RNG = np.random.default_rng(8)
TRUTH = RNG.normal(size=20_000)
CHURNED = (RNG.random(20_000) < expit(TRUTH)).astype(np.float64)
MONEY = np.exp(TRUTH) * RNG.gamma(2.0, 0.5, 20_000) * (RNG.random(20_000) < 0.5)
NOISE = RNG.normal(size=(20_000, 2))


@pytest.mark.parametrize(("objective", "outcome"), [("binary", CHURNED), ("tweedie", MONEY)])
def test_the_member_that_is_right_gets_most(objective: Objective, outcome: np.ndarray) -> None:
    weights = stacking.weights_for(np.column_stack([NOISE[:, 0], TRUTH, NOISE[:, 1]]), outcome, objective)
    assert sum(weights) == pytest.approx(1.0)
    assert min(weights) >= 0
    assert weights[1] > 0.8


@pytest.mark.parametrize(("objective", "outcome"), [("binary", CHURNED), ("tweedie", MONEY)])
def test_equal_members_share_equally(objective: Objective, outcome: np.ndarray) -> None:
    weights = stacking.weights_for(np.column_stack([TRUTH] * 3), outcome, objective)
    assert weights == pytest.approx(stack.EQUAL, abs=1e-3)


def test_a_level_that_is_off_moves_no_weight() -> None:
    links = np.column_stack([NOISE[:, 0], TRUTH, NOISE[:, 1]])
    assert stacking.weights_for(links + 2.0, CHURNED, "binary") == pytest.approx(
        stacking.weights_for(links, CHURNED, "binary"), abs=0.01
    )


def test_money_in_another_currency_gets_the_same_weights() -> None:
    links = np.column_stack([NOISE[:, 0], TRUTH, NOISE[:, 1]])
    dear = stacking.weights_for(links + np.log(1000.0), 1000.0 * MONEY, "tweedie")
    assert dear == pytest.approx(stacking.weights_for(links, MONEY, "tweedie"), abs=1e-3)


def test_a_window_in_which_nobody_brought_anything_weighs_nothing_apart() -> None:
    weights = stacking.weights_for(np.column_stack([TRUTH] * 3), np.zeros(20_000), "tweedie")
    assert sum(weights) == pytest.approx(1.0)
