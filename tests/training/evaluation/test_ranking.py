from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import bootstrap, outcomes, ranking

RANKINGS = [
    ranking.ngini,
    ranking.spearman,
    ranking.captured_top10,
    ranking.captured_top20,
    ranking.auc,
    ranking.pr_auc,
]


def vector(*numbers: float) -> Vector:
    return np.array(numbers, dtype=np.float64)


def tied_customers(seed: int, n: int = 300) -> tuple[Vector, Vector]:
    """Scores with many ties and outcomes of 0 or 1 that follow them."""
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 12, n) / 11
    return score, (rng.random(n) < score).astype(np.float64)


def average_over_orders(score: Vector, actual: Vector, share: float) -> float:
    """What the top share holds, by sorting with ties broken at random, many times."""
    rng, top = np.random.default_rng(7), int(share * len(score))
    held = [actual[np.lexsort((rng.random(len(score)), -score))][:top].sum() for _ in range(4000)]
    return float(np.mean(held) / actual.sum())


@given(st.integers(0, 10_000))
def test_auc_and_average_precision_are_those_of_scikit_learn_with_ties(seed: int) -> None:
    score, churned = tied_customers(seed)
    pairs = outcomes.pair(score, churned)
    assert ranking.auc(pairs) == pytest.approx(metrics.roc_auc_score(churned, score), abs=1e-12)
    assert ranking.pr_auc(pairs) == pytest.approx(metrics.average_precision_score(churned, score), abs=1e-12)


@given(st.integers(0, 10_000))
def test_spearman_is_that_of_scipy_with_ties(seed: int) -> None:
    score, churned = tied_customers(seed)
    expected = stats.spearmanr(score, churned + np.round(score, 1)).statistic
    assert ranking.spearman(outcomes.pair(score, churned + np.round(score, 1))) == pytest.approx(expected, abs=1e-12)


def test_auc_counts_pairs_by_hand() -> None:
    # churners .8 .4; kept .6 .4 .1: wins 3 + (loss, tie, win = 1.5) = 4.5 of 6 pairs
    assert ranking.auc(outcomes.pair(vector(0.8, 0.4, 0.6, 0.4, 0.1), vector(1, 1, 0, 0, 0))) == 0.75


def test_normalised_gini_by_hand() -> None:
    # Values 6, 3, 1 of 10. Truth's gains .6 .9 1: area (.6/2 + 1.5/2 + 1.9/2) / 3 = 2/3, Gini 1/3.
    # Forecast order 3, 6, 1: gains .3 .9 1: area (.3 + 1.2 + 1.9) / 6 = 17/30, Gini 2/15. Ratio 2/5.
    assert ranking.ngini(outcomes.pair(vector(2, 3, 1), vector(6, 3, 1))) == pytest.approx(0.4)


def test_normalised_gini_of_zero_one_outcomes_is_twice_the_auc_less_one() -> None:
    score, churned = tied_customers(3)
    pairs = outcomes.pair(score, churned)
    assert ranking.ngini(pairs) == pytest.approx(2 * ranking.auc(pairs) - 1)


def test_top_decile_lift_by_hand() -> None:
    # 20 customers, 5 churners (25 %); the top two hold 1: 50 % against 25 %.
    churned = np.zeros(20)
    churned[[0, 5, 6, 7, 8]] = 1
    assert ranking.top_decile_lift(outcomes.pair(np.arange(20.0)[::-1], churned)) == pytest.approx(2.0)


def test_a_tie_across_the_edge_counts_as_the_average_over_all_orders() -> None:
    score, churned = tied_customers(5, n=200)
    assert ranking.captured(outcomes.pair(score, churned), 0.2) == pytest.approx(
        average_over_orders(score, churned, 0.2), abs=0.002
    )


@pytest.mark.parametrize("metric", RANKINGS)
def test_the_order_of_rows_never_matters(metric: bootstrap.Measure) -> None:
    score, churned = tied_customers(11)
    shuffled = np.random.default_rng(0).permutation(len(score))
    assert metric(outcomes.pair(score[shuffled], churned[shuffled])) == pytest.approx(
        metric(outcomes.pair(score, churned)), rel=1e-12
    )


@pytest.mark.parametrize("metric", RANKINGS)
def test_an_increasing_function_of_the_forecast_changes_no_ranking(metric: bootstrap.Measure) -> None:
    score, churned = tied_customers(13)
    assert metric(outcomes.pair(np.exp(3 * score) - 100, churned)) == metric(outcomes.pair(score, churned))


@pytest.mark.parametrize("metric", RANKINGS)
def test_counting_a_customer_twice_is_a_weight_of_two(metric: bootstrap.Measure) -> None:
    score, churned = tied_customers(17)
    counts = np.random.default_rng(1).integers(0, 4, len(score))
    weighted = outcomes.Pairs(
        score,
        churned,
        counts.astype(np.float64),
        outcomes.number_descending(score),
        outcomes.number_descending(churned),
    )
    repeated = outcomes.pair(np.repeat(score, counts), np.repeat(churned, counts))
    assert metric(weighted) == pytest.approx(metric(repeated), rel=1e-10)


def test_a_perfect_ranking_scores_one_and_its_reverse_minus_one() -> None:
    actual = np.random.default_rng(2).gamma(0.3, 100, 500)
    assert ranking.ngini(outcomes.pair(actual**2, actual)) == pytest.approx(1)
    assert ranking.ngini(outcomes.pair(-actual, actual)) == pytest.approx(-1)
    assert ranking.spearman(outcomes.pair(-actual, actual)) == pytest.approx(-1)


def test_a_constant_forecast_ranks_nobody() -> None:
    churned = tied_customers(19)[1]
    always = outcomes.pair(np.ones(len(churned)), churned)
    assert ranking.auc(always) == 0.5
    assert ranking.top_decile_lift(always) == pytest.approx(1)
    assert ranking.ngini(always) == 0
    assert np.isnan(ranking.spearman(always))
    assert ranking.pr_auc(always) == pytest.approx(churned.mean())


def test_a_random_forecast_ranks_nobody_on_average() -> None:
    rng = np.random.default_rng(4)
    churned = (rng.random(20_000) < 0.3).astype(np.float64)
    random = outcomes.pair(rng.random(20_000), churned)
    assert ranking.auc(random) == pytest.approx(0.5, abs=0.015)  # sd of the AUC here is .0045
    assert ranking.captured_top10(random) == pytest.approx(0.1, abs=0.015)


def test_where_there_is_nothing_to_rank_the_metric_is_not_a_number() -> None:
    everybody_churned = outcomes.pair(vector(0.1, 0.9), vector(1, 1))
    nobody_bought = outcomes.pair(vector(0.1, 0.9), vector(0, 0))
    assert np.isnan(ranking.auc(everybody_churned))
    assert np.isnan(ranking.ngini(everybody_churned))
    assert np.isnan(ranking.pr_auc(nobody_bought))
    assert np.isnan(ranking.ngini(nobody_bought))
    assert np.isnan(ranking.captured_top10(nobody_bought))


def test_gains_run_from_nothing_to_everything() -> None:
    reached, found = ranking.gains_curve(outcomes.pair(vector(3, 2, 2, 1), vector(1, 1, 0, 0)))
    assert reached.tolist() == [0, 0.25, 0.75, 1]
    assert found.tolist() == [0, 0.5, 1, 1]


def test_a_missing_forecast_is_refused_with_its_place() -> None:
    with pytest.raises(errors.BadInput, match=r"1 of 3 customers: .*\nFirst: position 1: forecast nan"):
        outcomes.pair(vector(1, np.nan, 2), vector(0, 1, 0))


def test_forecasts_of_other_customers_are_refused() -> None:
    with pytest.raises(errors.BadInput, match=r"\(2,\) forecasts beside \(3,\) outcomes"):
        outcomes.pair(vector(1, 2), vector(0, 1, 0))
