from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import grades, outcomes, ranking
from tiercast.training.evaluation.grades import Grade
from tiercast.training.judge import report
from tiercast.training.judge.holdout import CLOSED_FORM, MODEL, Judged
from tiercast.training.judge.limits import LIMITS
from tiercast.training.train import Trained


@pytest.fixture(scope="module")
def churn_judged(trained: Trained) -> Judged:
    assert trained.churn is not None
    return trained.churn


@pytest.fixture(scope="module")
def value_judged(trained: Trained) -> Judged:
    assert trained.value is not None
    return trained.value.judged


def rules(judged: Judged) -> dict[str, Vector]:
    return {name: rule for name, rule in judged.forecasts.items() if name not in (MODEL, CLOSED_FORM)}


def churn_grade(judged: Judged, p: Vector, most_ece: float = LIMITS.ece) -> Grade:
    return grades.churn(p, rules(judged), judged.actual, judged.cuts.p_churn, most_ece)


def value_grade(judged: Judged, forecast: Vector, most_bias: float = LIMITS.bias) -> Grade:
    return grades.value(forecast, rules(judged), judged.actual, judged.cuts.value, most_bias)


def bad_churn_models(judged: Judged) -> Mapping[str, Vector]:
    """Who is right about 86 in 100 by saying so of everybody, and three who look at one thing or at nothing."""
    features, n = judged.snapshot.features, len(judged.actual)
    spend, silence = (features[name].to_numpy() for name in ("spend_90d", "silence_days"))
    return {
        "always churn": np.ones(n),
        "the churn rate for all": np.full(n, judged.actual.mean()),
        "recency only": judged.forecasts["recency"],
        "silence itself": silence / silence.max(),
        "last spend": 1 - spend / max(spend.max(), 1),
        "random": np.random.default_rng(1).random(n),
    }


def test_bad_churn_models_grade_c_on_cdnow_even_when_calibration_is_not_asked_for(churn_judged: Judged) -> None:
    for name, p in bad_churn_models(churn_judged).items():
        for most_ece in (LIMITS.ece, 1.0):
            assert churn_grade(churn_judged, p, most_ece).letter == "C", name


def test_bad_value_models_grade_c_on_cdnow_even_when_the_total_is_not_asked_for(value_judged: Judged) -> None:
    n = len(value_judged.actual)
    bad = {
        "everybody leaves": np.zeros(n),
        "the same for all": np.full(n, value_judged.actual.mean()),
        "recency only": -value_judged.snapshot.features["silence_days"].to_numpy(),
        "last spend": value_judged.forecasts["last_window_spend"],
        "random": np.random.default_rng(1).random(n),
    }
    for name, forecast in bad.items():
        for most_bias in (LIMITS.bias, np.inf):
            assert value_grade(value_judged, forecast, most_bias).letter == "C", name


def half_seen(n: int = 1000) -> tuple[Vector, dict[str, Vector]]:
    """A fifth churn; the rule calls half of them, and one in eight of those who stay."""
    churned = np.where(np.arange(n) % 5 == 0, 1.0, 0.0)
    rule = np.where(churned == 1, np.arange(n) % 2 == 0, np.arange(n) % 8 == 1).astype(np.float64)
    return churned, {"halved_window_rule": rule}


def test_somebody_who_knows_the_future_grades_a(value_judged: Judged) -> None:
    churned, rule = half_seen()
    assert grades.churn(churned, rule, churned, 0.5, LIMITS.ece).letter == "A"
    assert value_grade(value_judged, value_judged.actual).letter == "A"


def test_where_the_rule_finds_nearly_all_churners_nobody_can_grade_a(churn_judged: Judged) -> None:
    found = churn_grade(churn_judged, churn_judged.actual)
    assert found.found == 1
    assert found.found_by_rule > 0.89
    assert found.letter == "B"


def nudged(judged: Judged, part: float) -> Vector:
    """The recency rule, drawn towards the truth for some customers, keeping its level."""
    rng = np.random.default_rng(2)
    known = rng.random(len(judged.actual)) < part
    return np.where(known, judged.actual, judged.forecasts["recency"])


def test_a_little_more_than_the_strongest_rule_beyond_noise_is_a_b(churn_judged: Judged) -> None:
    grade = churn_grade(churn_judged, nudged(churn_judged, 0.15), most_ece=1.0)
    assert grade.letter == "B"
    assert 0 < grade.gain.low < grades.CHURN_STEP


def test_calibration_out_of_bounds_is_a_c_whatever_was_found(value_judged: Judged) -> None:
    churned, rule = half_seen()
    blunt = np.where(churned == 1, 0.99, 0.30)  # tells everybody apart, and is wrong by .01 and .30
    found = grades.churn(blunt, rule, churned, 0.5, most_ece=0.03)
    assert (found.letter, grades.churn(blunt, rule, churned, 0.5, most_ece=0.5).letter) == ("C", "A")
    assert found.calibration == pytest.approx(0.2 * 0.01 + 0.8 * 0.30)
    assert "calibration error" in found.why
    doubled = value_grade(value_judged, 2 * value_judged.actual)
    assert doubled.letter == "C"
    assert doubled.calibration == pytest.approx(1.0)
    assert "the total is off by +100.0%" in doubled.why


def test_half_of_all_must_be_told_right(churn_judged: Judged) -> None:
    """A ranking without fault, all of it below the cut: nobody is called churned, and most churn."""
    low = 0.4 * churn_judged.actual
    found = churn_grade(churn_judged, low, most_ece=1.0)
    assert found.letter == "C"
    assert "total accuracy" in found.why


def test_found_is_the_share_of_churners_at_the_rules_own_false_alarms(churn_judged: Judged) -> None:
    """Of the halved windows itself, that is its plain hit rate, counted once more."""
    rule, churned = churn_judged.forecasts["halved_window_rule"], churn_judged.actual
    alarms, hits = rule[churned == 0].mean(), rule[churned == 1].mean()
    assert ranking.caught(outcomes.pair(rule, churned), alarms) == pytest.approx(hits)
    assert churn_grade(churn_judged, rule).found == pytest.approx(hits)


def test_found_of_the_high_value_customers_by_counting(value_judged: Judged) -> None:
    cut, actual = value_judged.cuts.value, value_judged.actual
    forecast = value_judged.forecasts[MODEL] + np.linspace(0, 1e-6, len(actual))  # no ties, so counting is exact
    high = set(np.flatnonzero(actual >= cut))
    named = set(np.argsort(-forecast, kind="stable")[: len(high)])
    assert value_grade(value_judged, forecast).found == pytest.approx(len(high & named) / len(high))


def test_the_closed_form_is_no_rule_and_the_strongest_of_the_rules_is_the_rival(value_judged: Judged) -> None:
    found = value_grade(value_judged, value_judged.forecasts[MODEL])
    others = {name: value_grade(value_judged, rule).found for name, rule in rules(value_judged).items()}
    assert CLOSED_FORM not in others
    assert found.rule == max(others, key=lambda name: others[name])
    assert found.found_by_rule == max(others.values())


def test_the_grade_is_in_the_scorecard_with_its_reason(trained: Trained) -> None:
    card = trained.bundle.scorecard
    assert set(report.letters(card)) == {"churn", "value"}
    for target in ("churn", "value"):
        grade = card[target]["grade"]
        assert grade["letter"] in "ABC"
        assert set(grade["gain"]) == {"value", "low", "high"}
        assert grade["rule"] in grade["why"]


def test_a_rule_that_finds_nobody_is_no_rival() -> None:
    n = 100
    brought = np.where(np.arange(n) < 20, 50.0, 0.0)
    found = grades.value(brought, {"backwards": -brought}, brought, 10.0, 0.1)
    assert (found.letter, found.rule) == ("C", "")
    assert "no rule finds any" in found.why
