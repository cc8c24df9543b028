from __future__ import annotations

import math

import numpy as np
import pytest

from tests.training.comparison.conftest import Pair
from tiercast.training.comparison import differences, kept
from tiercast.training.comparison.kept import Kept
from tiercast.training.evaluation import level, outcomes, probability, ranking, scorecard
from tiercast.training.evaluation.bootstrap import Measure, Metric
from tiercast.training.judge.holdout import Judged


def judged(pair: Pair, target: kept.Target) -> tuple[Judged, Judged]:
    both = [each.churn if target == "churn" else each.value and each.value.judged for each in (pair.one, pair.other)]
    one, other = both
    assert one is not None
    assert other is not None
    return one, other


def both_kept(pair: Pair, target: kept.Target) -> tuple[Kept, Kept]:
    one, other = (kept.draw(target, each, 200_000) for each in judged(pair, target))
    return one, other


@pytest.mark.parametrize(
    ("target", "name", "measure"),
    [
        ("churn", "churn_brier", probability.brier),
        ("churn", "churn_auc", ranking.auc),
        ("value", "value_ngini", ranking.ngini),
        ("value", "value_mae", level.mae),
    ],
)
def test_a_difference_is_that_of_the_judged_forecasts_themselves(
    pair: Pair, target: kept.Target, name: str, measure: Measure
) -> None:
    one, other = judged(pair, target)
    ours, theirs = other.forecasts["tiercast"], one.forecasts["tiercast"]
    by_hand = scorecard.paired_difference(measure, ours, theirs, one.actual)
    found = differences.paired(*both_kept(pair, target))[name]
    assert found == by_hand
    assert found.value == measure(outcomes.pair(ours, one.actual)) - measure(outcomes.pair(theirs, one.actual))


def test_a_total_is_better_when_it_is_nearer_whichever_side_it_was_on(pair: Pair) -> None:
    first, _ = both_kept(pair, "value")
    truth = first.actual.sum() / first.value.sum()
    low, high = (first._replace(value=first.value * truth * share) for share in (0.9, 1.2))
    found = differences.paired(high, low)["value_bias"]
    assert found.value == pytest.approx(0.1 - 0.2)


def test_shares_outside_ranges_are_compared_by_their_distance_from_10_percent(pair: Pair) -> None:
    first, _ = both_kept(pair, "value")
    everything = first._replace(value_high=first.value + np.inf)
    topped = first.value_high > 0
    above = np.mean(first.actual[topped] > first.value_high[topped])
    found = differences.paired(first, everything)["value_above"]
    assert found.value == pytest.approx(abs(0 - 0.1) - abs(above - 0.1))


def test_a_training_compared_with_itself_differs_by_exactly_0(pair: Pair) -> None:
    for target in kept.TARGETS:
        first, _ = both_kept(pair, target)
        found = differences.paired(first, first)
        assert set(found.values()) == {Metric(0.0, 0.0, 0.0)}
        assert {differences.verdict(name, metric) for name, metric in found.items()} == {"same"}


def test_a_pairing_sees_what_two_separate_intervals_hide(pair: Pair) -> None:
    """Everybody's forecast one unit nearer to the truth is a sure gain; each MAE alone is known far less exactly."""
    first, _ = both_kept(pair, "value")
    nearer = first._replace(value=first.value + np.clip(first.actual - first.value, -1, 1))
    mae = {name: scorecard.value_card(each.value, each.actual)["mae"] for name, each in (("a", first), ("b", nearer))}
    apart = differences.unpaired("value_mae", mae["a"], mae["b"])
    together = differences.paired(first, nearer)["value_mae"]
    assert apart.value == pytest.approx(together.value)
    assert differences.verdict("value_mae", together) == "better"
    assert together.high - together.low < (apart.high - apart.low) / 2


def test_random_changes_are_called_noise(pair: Pair) -> None:
    first, _ = both_kept(pair, "churn")
    rng = np.random.default_rng(3)

    def shaken() -> Kept:
        return first._replace(p_churn=np.clip(first.p_churn + rng.normal(0, 0.05, len(first.actual)), 0, 1))

    found = [differences.paired(shaken(), shaken()) for _ in range(5)]
    verdicts = [differences.verdict(name, metric) for each in found for name, metric in each.items()]
    assert verdicts.count("noise") >= 0.8 * len(verdicts), "at 95 %, correlated in threes and fours"


@pytest.mark.parametrize(
    ("name", "metric", "verdict"),
    [
        ("churn_auc", Metric(0.02, 0.01, 0.03), "better"),
        ("churn_auc", Metric(-0.02, -0.03, -0.01), "worse"),
        ("value_mae", Metric(-2.0, -3.0, -1.0), "better"),
        ("value_bias", Metric(0.02, 0.01, 0.03), "worse"),
        ("value_above", Metric(-0.02, -0.03, -0.01), "better"),
        ("value_captured_top10", Metric(0.02, 0.0, 0.04), "noise"),
        ("value_spearman", Metric(math.nan, math.nan, math.nan), "unknown"),
    ],
)
def test_a_verdict_needs_the_whole_interval(name: str, metric: Metric, verdict: str) -> None:
    assert differences.verdict(name, metric) == verdict


def test_every_metric_of_the_scorecard_has_a_direction() -> None:
    """Errors and distances go down; the rest is listed as going up."""
    errors = {"brier", "log_loss", "ece", "mae", "rmse", "msle", "bias", "decile_mape", "above", "below", "despite"}
    assert {name.partition("_")[2] for name in differences.names()} == errors | differences.MORE_IS_BETTER


def test_biases_on_both_sides_of_0_are_compared_by_their_distance_without_pairs_too() -> None:
    gap = differences.unpaired("value_bias", Metric(-0.10, -0.14, -0.07), Metric(0.02, -0.01, 0.04))
    assert gap.value == pytest.approx(-0.08)
    # distances .10 (.07 to .14) and .02 (0 to .04): -.08 - hypot(.02, .04), -.08 + hypot(.02, .03)
    assert gap.low == pytest.approx(-0.08 - math.hypot(0.02, 0.04))
    assert gap.high == pytest.approx(-0.08 + math.hypot(0.02, 0.03))
