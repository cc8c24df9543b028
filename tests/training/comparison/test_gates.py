from __future__ import annotations

from typing import Any

import pytest

from tiercast.training.comparison import gates
from tiercast.training.comparison.differences import Difference
from tiercast.training.comparison.duel import Duel
from tiercast.training.judge.limits import QualityLimits

METRICS = {
    "churn": {"auc": (0.90, 0.85), "brier": (0.10, 0.12), "ece": (0.02, 0.05)},
    "value": {"ngini": (0.80, 0.75), "mae": (10.0, 11.0), "bias": (0.05, -0.20)},
}


def metric(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def card(**ours: float) -> dict[str, Any]:
    """A scorecard that passes every gate, but for the metrics given as `churn_auc=0.5`."""
    found: dict[str, Any] = {
        "notes": [],
        "churn": {"n_customers": 900, "n_churned": 600},
        "value": {"n_customers": 900},
    }
    for target, metrics in METRICS.items():
        mine = {name: metric(ours.get(f"{target}_{name}", own)) for name, (own, _) in metrics.items()}
        theirs = {name: metric(other) for name, (_, other) in metrics.items()}
        found[target]["models"] = {"tiercast": mine, "btyd": theirs, "recency": theirs}
    return found


def failed(scorecard: dict[str, Any]) -> list[str]:
    return [gate.code for gate in gates.failed(gates.check(scorecard))]


def test_a_first_model_that_beats_every_baseline_passes_all_eight_gates() -> None:
    answers = gates.check(card())
    assert [gate.code for gate in answers] == ["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8"]
    assert "there is no champion yet" in str(answers[-1])
    assert all(gate.passed for gate in answers)


@pytest.mark.parametrize(
    ("ours", "code"),
    [
        ({"churn_auc": 0.84}, "G1"),
        ({"churn_auc": 0.85}, "G1"),  # as good as a baseline is not better
        ({"churn_brier": 0.13}, "G2"),
        ({"churn_ece": 0.031}, "G3"),
        ({"value_ngini": 0.74}, "G4"),
        ({"value_mae": 12.0}, "G5"),
        ({"value_bias": 0.11}, "G6"),
        ({"value_bias": -0.11}, "G6"),
    ],
)
def test_each_gate_fails_by_itself(ours: dict[str, float], code: str) -> None:
    assert failed(card(**ours)) == [code]


@pytest.mark.parametrize(("buyers", "churned"), [(499, 200), (900, 99), (900, 801)])
def test_too_few_buyers_churned_or_kept_fail_the_seventh_gate(buyers: int, churned: int) -> None:
    scorecard = card()
    scorecard["churn"] |= {"n_customers": buyers, "n_churned": churned}
    assert failed(scorecard) == ["G7"]


def test_a_larger_error_within_the_noise_passes_and_beyond_it_fails() -> None:
    scorecard = card(value_mae=11.5)
    scorecard["value"]["mae_over_closed_form"] = {"value": 0.5, "low": -0.1, "high": 1.1}
    assert failed(scorecard) == []
    scorecard["value"]["mae_over_closed_form"] = {"value": 0.5, "low": 0.1, "high": 0.9}
    assert failed(scorecard) == ["G5"]


def test_a_forecast_of_nothing_is_no_rival_for_the_error_in_money() -> None:
    scorecard = card()
    scorecard["value"]["models"]["zero"] = {"ngini": metric(0.0), "mae": metric(1.0), "bias": metric(-1.0)}
    assert failed(scorecard) == []


def test_value_must_be_ranked_better_than_the_strongest_baseline_whichever_it_is() -> None:
    scorecard = card()
    scorecard["value"]["models"]["naive_rate"] = {"ngini": metric(0.81), "mae": metric(12.0), "bias": metric(0.5)}
    (gate,) = gates.failed(gates.check(scorecard))
    assert (gate.code, gate.required) == ("G4", "above 0.8100 of naive_rate")


BETTER = Difference(-0.002, -0.003, -0.001, True, "better")
NOISE = Difference(0.01, -0.02, 0.04, True, "noise")
WORSE = Difference(3.0, 1.0, 5.0, True, "worse")


@pytest.mark.parametrize(
    ("duel", "is_allowed"),
    [
        (Duel("paired", {"churn_brier": BETTER, "value_mae": NOISE}), True),
        (Duel("paired", {"churn_brier": NOISE, "value_mae": NOISE}), False),
        (Duel("paired", {"churn_brier": BETTER, "value_mae": WORSE}), False),
        (Duel("refresh", {"churn_auc": NOISE}), True),
        (Duel("refresh", {"churn_auc": BETTER, "value_ngini": WORSE}), False),
        (Duel("apart", {}, "other settings"), False),
        (Duel("itself"), True),
    ],
)
def test_the_eighth_gate_asks_how_the_champion_was_met(duel: Duel, is_allowed: bool) -> None:
    assert ([gate.code for gate in gates.failed(gates.check(card(), duel))] == []) is is_allowed


def test_the_eighth_gate_can_be_quoted_with_every_difference() -> None:
    gate = gates.check(card(), Duel("paired", {"churn_brier": BETTER, "value_mae": NOISE}))[-1]
    assert str(gate) == (
        "G8 It stands against the champion: churn_brier -0.002 (-0.003 to -0.001): better, "
        "value_mae +0.01 (-0.02 to +0.04): noise, "
        "required better in one and worse in none, beyond noise, on the same customers: passed"
    )


def test_what_was_not_judged_does_not_pass() -> None:
    assert failed({"notes": []}) == ["G1", "G2", "G3", "G4", "G5", "G6", "G7"]
    without_value = {name: part for name, part in card().items() if name != "value"}
    assert failed(without_value) == ["G4", "G5", "G6"]


def test_a_baseline_without_the_metric_is_no_rival() -> None:
    scorecard = card()
    scorecard["churn"]["models"]["constant"] = {"auc": metric(float("nan"))}
    assert failed(scorecard) == []


def test_limits_can_be_set() -> None:
    answers = gates.check(card(churn_ece=0.04, value_bias=0.15), limits=QualityLimits(ece=0.05, bias=0.2))
    assert not gates.failed(answers)


def test_a_gate_can_be_quoted_with_what_was_measured_and_required() -> None:
    first = gates.check(card(churn_auc=0.8))[0]
    assert str(first) == (
        "G1 Churn is ranked better than every baseline: auc 0.8000, required above 0.8500 of btyd: failed"
    )
