from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask
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


def above(new: Outcomes, sure: intervals.Certainty, chosen: Mask) -> float:
    return float((new.actual > sure.value_high)[chosen & (sure.value_high > 0)].mean())


@pytest.mark.slow
def test_one_new_customer_in_ten_ends_above_the_top_in_every_tier_and_for_every_risk() -> None:
    seen, new = simulated(1, 30_000, 0.75), simulated(2, 60_000, 0.75)
    sure = judged(seen, new)
    groups = [tiers_of(new) == tier for tier in "ABCD"] + [new.p_churn < 0.05, new.p_churn > 0.6, new.value < 10]
    for group in groups:
        assert above(new, sure, group) == pytest.approx(0.1, abs=0.025)


@pytest.mark.slow
def test_of_those_with_a_floor_one_in_ten_ends_below_it() -> None:
    seen, new = simulated(1, 30_000, 0.2), simulated(2, 60_000, 0.2)
    sure = judged(seen, new)
    has_floor = sure.value_low > 0
    assert 0.3 < has_floor.mean() < 0.7, "a tenth or more bring nothing elsewhere"
    assert (new.actual < sure.value_low)[has_floor].mean() == pytest.approx(0.1, abs=0.01)


@pytest.mark.slow
def test_where_nine_in_ten_bring_nothing_the_range_is_that_point_and_promises_it() -> None:
    seen, new = simulated(3, 30_000), simulated(4, 60_000)
    sure = judged(seen, new)
    promised = sure.value_high == 0
    assert promised[new.p_churn > 0.95].all()
    assert not promised[new.p_churn < 0.85].any()
    assert (new.actual > 0)[promised].mean() <= 0.1
    at_the_edge = promised & (new.p_churn < 0.92)
    assert (new.actual > 0)[at_the_edge].mean() == pytest.approx(0.09, abs=0.02)


@pytest.mark.slow
def test_the_chances_of_high_value_and_of_the_tier_are_calibrated() -> None:
    seen, new = simulated(5, 30_000), simulated(6, 60_000)
    sure, letters = judged(seen, new), tiers_of(new)
    is_high, kept = new.actual >= CUTS.value, 1 - new.churned
    borne_out = np.select([letters == "A", letters == "C"], [kept * is_high, kept * ~is_high], 1 - kept)
    assert probability.ece(outcomes.pair(sure.p_high_value, is_high.astype(float))) <= 0.01
    assert probability.ece(outcomes.pair(sure.tier_confidence, borne_out)) <= 0.01


@pytest.mark.slow
def test_a_wrong_spread_is_made_good_by_what_was_seen() -> None:
    """What is expected is half of the truth for half of the customers: no bin shows it, the top holds all the same."""
    seen, new = simulated(7, 30_000, 0.75), simulated(8, 60_000, 0.75)
    rng = np.random.default_rng(0)
    wrong_seen, wrong_new = (s._replace(value=s.value * rng.choice([0.5, 1.0], len(s.value))) for s in (seen, new))
    sure = judged(wrong_seen, wrong_new)
    assert above(wrong_new, sure, np.ones(60_000, dtype=np.bool_)) == pytest.approx(0.1, abs=0.02)


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
