"""A plain rule that is better beyond noise is named; luck and ties are not."""

from __future__ import annotations

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.training.judge import floor
from tiercast.training.judge.holdout import Judged
from tiercast.training.train import Trained

RNG = np.random.default_rng(3)
CHURNED = (RNG.random(1000) < 0.5).astype(np.float64)


def churn(trained: Trained, **forecasts: Vector) -> Judged:
    assert trained.churn is not None
    return trained.churn._replace(actual=CHURNED, forecasts=forecasts)


def test_a_rule_that_knows_more_is_named_with_both_numbers(trained: Trained) -> None:
    judged = churn(trained, tiercast=RNG.random(1000), recency=0.25 + 0.5 * CHURNED)
    first, second = floor.beaten(judged, None)
    assert (first.target, first.measure, first.rule, first.by_rule) == ("churn", "AUC", "recency", 1.0)
    assert first.sentence.startswith("A plain rule forecasts churn better than the model: AUC 1.000 by recency, 0.")
    assert "Brier score 0.062 by recency" in second.sentence
    assert floor.winners((first, second)) == ("recency", "")


def test_a_better_model_and_a_tie_need_no_sentence(trained: Trained) -> None:
    knows = 0.25 + 0.5 * CHURNED
    assert floor.beaten(churn(trained, tiercast=knows, recency=RNG.random(1000)), None) == ()
    assert floor.beaten(churn(trained, tiercast=knows, recency=knows.copy()), None) == ()


def test_a_difference_within_noise_needs_no_sentence(trained: Trained) -> None:
    noise = RNG.random(1000)
    almost = np.clip(noise + 0.001 * (CHURNED - 0.5), 0.0, 1.0)
    tied = floor.beaten(churn(trained, tiercast=noise, recency=noise - 1e-9), None)
    assert not any(each.measure == "AUC" for each in tied)
    assert floor.beaten(churn(trained, tiercast=almost, recency=noise), None) == ()


def test_a_holdout_that_is_not_there_is_beaten_by_nobody() -> None:
    assert floor.beaten(None, None) == ()
