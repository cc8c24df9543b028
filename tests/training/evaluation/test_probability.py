from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import bootstrap, outcomes, probability


def customers(seed: int, n: int = 1000) -> tuple[Vector, Vector]:
    """True probabilities, and churn drawn from them."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.5, 1.0, n)
    return p, (rng.random(n) < p).astype(np.float64)


@given(st.integers(0, 10_000))
def test_brier_and_log_loss_are_those_of_scikit_learn(seed: int) -> None:
    p, churned = customers(seed, 200)
    pairs = outcomes.pair(p, churned)
    assert probability.brier(pairs) == pytest.approx(metrics.brier_score_loss(churned, p), abs=1e-12)
    assert probability.log_loss(pairs) == pytest.approx(metrics.log_loss(churned, p), abs=1e-12)


def test_one_confident_mistake_costs_36_nats_not_infinity() -> None:
    # -log(2^-52) = 52 log 2 = 36.0437
    assert probability.log_loss(outcomes.pair(np.zeros(1), np.ones(1))) == pytest.approx(52 * np.log(2))


def test_calibration_error_by_sorting_and_splitting_into_ten() -> None:
    p, churned = customers(1)
    order = np.argsort(p)
    gaps = [abs(p[part].mean() - churned[part].mean()) * len(part) / len(p) for part in np.array_split(order, 10)]
    assert probability.ece(outcomes.pair(p, churned)) == pytest.approx(sum(gaps))


def test_the_calibration_error_of_one_probability_for_all_is_the_distance_to_the_rate() -> None:
    churned = np.repeat([1.0, 0.0], [30, 70])
    assert probability.ece(outcomes.pair(np.full(100, 0.5), churned)) == pytest.approx(0.2)
    assert probability.ece(outcomes.pair(np.full(100, 0.3), churned)) == pytest.approx(0, abs=1e-12)


def test_always_saying_churn_is_off_by_all_who_stayed() -> None:
    churned = np.repeat([1.0, 0.0], [30, 70])
    always = outcomes.pair(np.ones(100), churned)
    assert probability.ece(always) == pytest.approx(0.7)
    assert probability.brier(always) == pytest.approx(0.7)


@pytest.mark.parametrize("metric", [probability.ece, probability.brier, probability.log_loss])
def test_probabilities_tied_across_bins_do_not_depend_on_the_order_of_rows(metric: bootstrap.Measure) -> None:
    p, churned = customers(2)
    p = np.round(p, 1)
    shuffled = np.random.default_rng(0).permutation(len(p))
    assert metric(outcomes.pair(p[shuffled], churned[shuffled])) == pytest.approx(metric(outcomes.pair(p, churned)))


def test_the_reliability_curve_rises_from_the_lowest_bin_and_counts_everybody() -> None:
    p, churned = customers(3, 5000)
    curve = probability.reliability_curve(outcomes.pair(p, churned))
    assert np.all(np.diff(curve.stated) > 0)
    assert curve.weight.sum() == pytest.approx(5000)
    assert np.average(curve.observed, weights=curve.weight) == pytest.approx(churned.mean())


def test_the_interval_of_an_observed_share_is_that_of_scipy() -> None:
    low, high = probability.wilson(np.array([0.0, 0.25, 1.0]), np.array([12.0, 40.0, 7.0]))
    for at, (hits, n) in enumerate([(0, 12), (10, 40), (7, 7)]):
        interval = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
        assert (low[at], high[at]) == pytest.approx((interval.low, interval.high))
