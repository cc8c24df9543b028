from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from tiercast.training.windows import season


@pytest.mark.parametrize("move", [-1.5, 0.0, 0.7])
def test_the_shift_of_a_moved_risk_is_found_again(move: float) -> None:
    p = np.random.default_rng(1).uniform(0.05, 0.95, 200_000)
    churned = (np.random.default_rng(2).random(len(p)) < expit(logit(p) + move)).astype(float)
    assert season.shift(p, churned) == pytest.approx(move, abs=0.02)


def test_where_all_or_none_churned_the_shift_stays_finite() -> None:
    p = np.array([0.2, 0.8])
    assert (season.shift(p, np.ones(2)), season.shift(p, np.zeros(2))) == (5.0, -5.0)


def test_less_than_three_windows_with_a_year_before_tell_nothing() -> None:
    assert not season.follows_last_year([0.5, -0.5, 0.3], [0.5, -0.5, None])
    assert season.follows_last_year([0.5, -0.5, 0.3], [0.5, -0.5, 0.3])


def test_a_shift_that_stays_the_same_needs_no_season() -> None:
    assert not season.follows_last_year([0.3, 0.3, 0.3], [0.1, 0.2, 0.3])
