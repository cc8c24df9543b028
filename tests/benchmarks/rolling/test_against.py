"""Worse, tie and better: beyond noise, against the rule that was best in hindsight."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rolling import against
from benchmarks.rolling.against import BETTER, TIE, WORSE, Comparison, Forecast
from benchmarks.rolling.rules import Rules

RNG = np.random.default_rng(4)
CHURNED = (RNG.random(2000) < 0.5).astype(np.float64)
VALUE = RNG.gamma(2.0, 50.0, 2000) * (1 - CHURNED)
KNOWING, GUESSING = np.abs(0.8 - CHURNED), RNG.random(2000)


def compare(p_churn: np.ndarray, value: np.ndarray) -> dict[str, Comparison]:
    rules = Rules({"coin": GUESSING, "better coin": 0.5 + 0.1 * (CHURNED - 0.5)}, {"flat": np.full(2000, 50.0)})
    forecast = Forecast(p_churn, value, np.zeros(2000), value)
    return {found.measure: found for found in against.compare(forecast, rules, CHURNED, VALUE, draws=40)}


def test_a_forecast_is_held_against_the_rule_that_was_best_in_hindsight() -> None:
    found = compare(GUESSING, VALUE)
    assert found["AUC"].best == "better coin"
    assert found["AUC"].rules["better coin"] == 1.0
    assert found["AUC"].verdict == WORSE
    assert found["nGini"].verdict == found["MAE"].verdict == BETTER


def test_errors_count_the_other_way_round() -> None:
    found = compare(CHURNED, VALUE)
    assert found["Brier"].ours == 0.0
    assert found["Brier"].gain.value == pytest.approx(found["Brier"].rules["better coin"])
    assert found["Brier"].verdict == BETTER


def test_the_best_rule_itself_is_a_tie() -> None:
    assert compare(0.5 + 0.1 * (CHURNED - 0.5), np.full(2000, 50.0))["Brier"].verdict == TIE


def test_a_total_may_be_off_in_either_direction() -> None:
    assert compare(CHURNED, 1.2 * VALUE)["total"].ours == pytest.approx(0.2)
    assert compare(CHURNED, 0.8 * VALUE)["total"].ours == pytest.approx(0.2)
