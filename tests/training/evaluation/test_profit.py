from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from sklearn import metrics

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import outcomes, profit


def integrate_best_threshold(score: Vector, churned: Vector, campaign: profit.Campaign) -> float:
    """The paper's definition, by brute force: the best ROC point at every gamma, integrated."""
    alpha, beta, clv, d, f = campaign
    kept_found, churned_found, _ = metrics.roc_curve(churned, score, drop_intermediate=False)
    share = churned.mean()
    gamma = np.linspace(0, 1, 20_001)[:, None]
    earned = clv * (gamma * (1 - d / clv) - f / clv) * share * churned_found
    spent = clv * (d / clv + f / clv) * (1 - share) * kept_found
    best = (earned - spent).max(axis=1)
    return float(integrate.simpson(best * stats.beta(alpha, beta).pdf(gamma[:, 0]), x=gamma[:, 0]))


def customers(seed: int, n: int = 150) -> tuple[Vector, Vector]:
    rng = np.random.default_rng(seed)
    score = np.round(rng.random(n), 2)
    return score, (rng.random(n) < 0.1 + 0.5 * score).astype(np.float64)


@given(
    st.integers(0, 10_000),
    st.sampled_from([profit.TEXTBOOK, profit.Campaign(2, 3, 50, 20, 4), profit.Campaign(1, 1, 1000, 5, 0)]),
)
def test_empc_is_the_papers_integral_over_the_best_thresholds(seed: int, campaign: profit.Campaign) -> None:
    score, churned = customers(seed)
    by_hand = integrate_best_threshold(score, churned, campaign)
    assert profit.empc(outcomes.pair(score, churned), campaign) == pytest.approx(by_hand, rel=1e-5, abs=1e-5)


def test_a_perfect_model_earns_the_accepted_offers_of_all_churners() -> None:
    # Each churner brings 190 gamma - 1, nearly always above 0, so 190 * .3 - 1 = 56; one customer in four churns: 14.
    churned = np.tile([1.0, 0.0, 0.0, 0.0], 25)
    assert profit.empc(outcomes.pair(churned, churned)) == pytest.approx(14, abs=1e-6)


def test_a_model_that_ranks_nobody_contacts_all_or_none() -> None:
    # Half churn: everybody is contacted when 190 gamma / 2 > 1 + 10 / 2, so gain = E[max(95 gamma - 6, 0)].
    churned = np.tile([1.0, 0.0], 50)
    gain = integrate.quad(lambda gamma: max(95 * gamma - 6, 0) * stats.beta(6, 14).pdf(gamma), 0, 1, points=[6 / 95])[0]
    assert profit.empc(outcomes.pair(np.ones(100), churned)) == pytest.approx(gain, rel=1e-8)


def test_a_reversed_ranking_earns_no_more_than_no_ranking() -> None:
    score, churned = customers(1)
    reversed_, constant = outcomes.pair(-score, churned), outcomes.pair(np.ones(len(score)), churned)
    assert profit.empc(constant) <= profit.empc(reversed_) < profit.empc(outcomes.pair(score, churned))


def test_where_nobody_churns_nothing_can_be_earned() -> None:
    assert profit.empc(outcomes.pair(np.linspace(0, 1, 50), np.zeros(50))) == 0


def test_the_steepest_segment_of_the_hull_comes_first_and_all_customers_are_on_it() -> None:
    rate, weight = profit.hull(outcomes.pair(*customers(2)))
    assert np.all(np.diff(rate) < 0)
    assert weight.sum() == 150


def test_the_profit_curve_starts_at_nothing_and_ends_with_everybody_contacted() -> None:
    # Half churn, everybody contacted: .5 * 190 * .3 - 1 - 10 * .5 = 22.5 per customer.
    reached, earned = profit.profit_curve(outcomes.pair(np.arange(10.0), np.tile([0.0, 1.0], 5)))
    assert (reached[0], earned[0]) == (0, 0)
    assert (reached[-1], earned[-1]) == pytest.approx((1, 22.5))
