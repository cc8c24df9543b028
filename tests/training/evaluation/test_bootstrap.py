from __future__ import annotations

import numpy as np
import pytest

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import bootstrap, level, outcomes, ranking, scorecard

ALL_MEASURES = {**scorecard.CHURN_MEASURES, **scorecard.VALUE_MEASURES}


def customers(seed: int = 0, n: int = 400) -> tuple[Vector, Vector]:
    rng = np.random.default_rng(seed)
    p = np.round(rng.random(n), 2)
    return p, (rng.random(n) < p).astype(np.float64)


@pytest.mark.parametrize("name", ALL_MEASURES)
def test_the_interval_is_that_of_resampling_rows_one_loop_at_a_time(name: str) -> None:
    p, churned = customers()
    rng, measure = np.random.default_rng(0), ALL_MEASURES[name]
    loop = []
    for _ in range(60):
        rows = rng.integers(0, len(p), len(p))
        loop.append(measure(outcomes.pair(p[rows], churned[rows])))
    about = np.array(loop) - np.mean(loop)
    value = measure(outcomes.pair(p, churned))
    metric = bootstrap.measure(outcomes.pair(p, churned), {name: measure}, draws=60)[name]
    assert metric == pytest.approx((value, *(value + np.quantile(about, [0.025, 0.975]))), abs=1e-9)


@pytest.mark.parametrize("name", ALL_MEASURES)
def test_the_interval_holds_the_value(name: str) -> None:
    metric = bootstrap.measure(outcomes.pair(*customers(1)), {name: ALL_MEASURES[name]}, draws=100)[name]
    assert metric.low < metric.value < metric.high


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    # MAE of a zero forecast is the mean of the outcome: its 95 % interval is 2 * 1.96 * sd / sqrt(n) wide.
    actual = np.random.default_rng(3).gamma(2.0, 10.0, 5000)
    metric = scorecard.value_card(np.zeros(5000), actual, draws=1000)["mae"]
    assert metric.high - metric.low == pytest.approx(2 * 1.96 * actual.std() / np.sqrt(5000), rel=0.08)


def test_beyond_the_largest_draw_the_interval_is_as_wide_as_without_the_short_cut() -> None:
    pairs = outcomes.pair(*customers(4, 6000))
    short = bootstrap.measure(pairs, {"auc": ranking.auc}, draws=600, largest=1000)["auc"]
    whole = bootstrap.measure(pairs, {"auc": ranking.auc}, draws=600)["auc"]
    assert short.value == whole.value
    assert short.high - short.low == pytest.approx(whole.high - whole.low, rel=0.12)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    p, churned = customers()
    assert scorecard.churn_card(p, churned, 20, seed=5) == scorecard.churn_card(p, churned, 20, seed=5)
    assert scorecard.churn_card(p, churned, 20, seed=5)["auc"] != scorecard.churn_card(p, churned, 20, seed=6)["auc"]


def test_a_metric_that_cannot_be_had_has_no_interval() -> None:
    metric = scorecard.churn_card(np.linspace(0, 1, 20), np.ones(20), draws=5)["auc"]
    assert np.isnan(metric).all()


def test_paired_difference_sees_a_small_gain_that_two_intervals_hide() -> None:
    rng = np.random.default_rng(6)
    actual = rng.gamma(0.5, 100, 3000)
    better = actual + rng.normal(0, 100, 3000)
    worse = better + rng.normal(0, 30, 3000)
    first, second = (scorecard.value_card(forecast, actual)["ngini"] for forecast in (better, worse))
    gap = scorecard.paired_difference(ranking.ngini, better, worse, actual)
    assert gap.value == pytest.approx(first.value - second.value)
    assert first.low < second.high
    assert gap.low > 0


def test_paired_difference_of_a_forecast_with_itself_is_exactly_zero() -> None:
    forecast, actual = customers()
    assert scorecard.paired_difference(level.mae, forecast, forecast, actual, 20) == (0, 0, 0)
