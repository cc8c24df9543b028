from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.models import intervals
from tiercast.tiers import grid
from tiercast.tiers.grid import Cuts
from tiercast.training.evaluation import outcomes, probability
from tiercast.training.fit import interval_model
from tiercast.training.fit.interval_model import Outcomes

CUTS = Cuts(value=30.0, p_churn=0.5)


def simulated(seed: int, n: int, largest_risk: float = 1.0) -> Outcomes:
    """Who comes brings a lognormal multiple of what is expected of those who come; small sums vary more."""
    rng = np.random.default_rng(seed)
    if_any, p = rng.gamma(2.0, 20.0, n), rng.random(n) * largest_risk
    sd = np.where(if_any < 30, 1.0, 0.4)
    churned = (rng.random(n) < p).astype(float)
    actual = np.where(churned > 0, 0.0, if_any * np.exp(rng.normal(-(sd**2) / 2, sd)))
    return Outcomes(if_any * (1 - p), p, 1 - p, actual, churned)


def tiers_of(seen: Outcomes) -> NDArray[np.str_]:
    ones = np.ones(len(seen.value))
    return grid.assign(seen.p_churn, seen.value, ones, ones, CUTS)


def judged(seen: Outcomes, new: Outcomes) -> intervals.Certainty:
    model = interval_model.fit(seen, CUTS)
    return intervals.certainty(model, new.value, new.p_churn, new.p_order, tiers_of(new), CUTS)


def held(new: Outcomes, low: Vector, high: Vector) -> NDArray[np.bool_]:
    return (low <= new.actual) & (new.actual <= high)


@pytest.mark.slow
def test_intervals_hold_80_percent_of_new_customers_in_every_tier_and_for_every_risk() -> None:
    """With a risk of at most 0.75, nobody's interval is the point 0, so nothing but 80 % is right anywhere."""
    seen, new = simulated(1, 30_000, 0.75), simulated(2, 60_000, 0.75)
    sure = judged(seen, new)
    inside = held(new, sure.value_low, sure.value_high)
    groups = [tiers_of(new) == tier for tier in "ABCD"] + [new.p_churn < 0.05, new.p_churn > 0.6, new.value < 10]
    for group in groups:
        assert inside[group].mean() == pytest.approx(0.8, abs=0.03)


@pytest.mark.slow
def test_where_more_than_80_percent_bring_nothing_the_interval_is_that_point_and_holds_them() -> None:
    seen, new = simulated(3, 30_000), simulated(4, 60_000)
    sure = judged(seen, new)
    nearly_gone = new.p_churn > 0.85
    assert (sure.value_high[nearly_gone] == 0).all()
    assert held(new, sure.value_low, sure.value_high)[nearly_gone].mean() == pytest.approx(0.925, abs=0.01)


@pytest.mark.slow
def test_the_chances_of_high_value_and_of_the_tier_are_calibrated() -> None:
    seen, new = simulated(5, 30_000), simulated(6, 60_000)
    sure, letters = judged(seen, new), tiers_of(new)
    is_high, kept = new.actual >= CUTS.value, 1 - new.churned
    borne_out = np.select([letters == "A", letters == "C"], [kept * is_high, kept * ~is_high], 1 - kept)
    assert probability.ece(outcomes.pair(sure.p_high_value, is_high.astype(float))) <= 0.01
    assert probability.ece(outcomes.pair(sure.tier_confidence, borne_out)) <= 0.01


@pytest.mark.slow
def test_a_wrong_spread_is_made_good_by_the_level() -> None:
    """What is expected is half of the truth for half of the customers: no bin shows it, coverage holds all the same."""
    seen, new = simulated(7, 30_000, 0.75), simulated(8, 60_000, 0.75)
    rng = np.random.default_rng(0)
    wrong_seen, wrong_new = (s._replace(value=s.value * rng.choice([0.5, 1.0], len(s.value))) for s in (seen, new))
    sure = judged(wrong_seen, wrong_new)
    assert held(wrong_new, sure.value_low, sure.value_high).mean() == pytest.approx(0.8, abs=0.03)


def test_the_level_is_the_order_statistic_of_split_conformal() -> None:
    """Nine scores: (9 + 1) × 0.8 = the 8th of them."""
    assert interval_model._conformal(np.array([0.9, 0.1, 0.2, 0.3, 0.8, 0.4, 0.5, 0.6, 0.7])) == 0.8


def test_the_score_is_the_level_whose_interval_just_holds_the_outcome() -> None:
    seen = simulated(9, 2000)
    model = interval_model.fit(seen, CUTS)
    spread = intervals.spread_of(model, seen.value, seen.p_order)
    level = interval_model.score(model, spread, seen.actual)
    inside, outside = (intervals.interval(model, spread, np.clip(level + step, 0, 1)) for step in (1e-6, -1e-3))
    brought = seen.actual > 0
    assert held(seen, *inside)[brought].all()
    assert not held(seen, *outside)[brought & (level > 0.01) & (level < 1)].any()


def test_few_customers_or_a_cut_beyond_all_of_them_still_give_finite_intervals() -> None:
    for n, cut in ((1, 30.0), (5, 1e9), (300, 1e-9)):
        seen = simulated(1, n)
        model = interval_model.fit(seen, Cuts(value=cut))
        sure = intervals.certainty(model, seen.value, seen.p_churn, seen.p_order, np.full(n, "A"), Cuts(value=cut))
        assert np.isfinite(np.concatenate(sure[:4])).all()
        assert (sure.value_low <= sure.value_high).all()


def test_nobody_who_brought_anything_gives_the_point_zero() -> None:
    seen = simulated(1, 500)._replace(actual=np.zeros(500), churned=np.ones(500), p_order=np.full(500, 0.01))
    sure = judged(seen, seen)
    assert (sure.value_high == 0).all()


def test_predictions_of_nothing_do_not_divide_by_zero() -> None:
    seen = simulated(1, 500)._replace(value=np.zeros(500))
    assert np.isfinite(np.concatenate(judged(seen, seen)[:4])).all()
