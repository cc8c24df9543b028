"""The gates of a promotion: each with a number, a measured value and what is required, so that it can be quoted.

G1  churn is ranked better than every baseline ranks it
G2  churn probabilities are closer to what happened than every baseline's
G3  a stated risk is what happens
G4  value is ranked better than every baseline ranks it
G5  the error in money is not worse than the closed form's, beyond noise
G6  the total is right
G7  there is enough data to believe any of this
G8  it is better than the present champion, or a refresh of it that is not worse

The first seven look at the holdout's scorecard alone, the last at a duel (`training.comparison.duel`). A forecast of
nothing at all is no rival in G5: where most customers buy nothing it has a small absolute error and is of no use to
anybody.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tiercast.training.comparison import duel
from tiercast.training.comparison.differences import Difference
from tiercast.training.comparison.duel import Duel
from tiercast.training.judge.holdout import CLOSED_FORM, MODEL
from tiercast.training.judge.limits import LIMITS, QualityLimits

UNKNOWN = "not judged"


class Gate(NamedTuple):
    """One gate's result, worded so that it can be put into a ticket."""

    code: str
    title: str
    measured: str
    required: str
    passed: bool

    def __str__(self) -> str:
        """The line to quote.

        >>> str(Gate("G6", "The total is right", "bias -12.1%", "between -10% and +10%", False))
        'G6 The total is right: bias -12.1%, required between -10% and +10%: failed'
        """
        verdict = "passed" if self.passed else "failed"
        return f"{self.code} {self.title}: {self.measured}, required {self.required}: {verdict}"


class Named(NamedTuple):
    """A gate before it is evaluated: its code, its title and its function."""

    code: str
    title: str
    evaluate: Callable[[Mapping[str, Any], QualityLimits], tuple[str, str, bool]]


def check(card: Mapping[str, Any], against: Duel = duel.FIRST, limits: QualityLimits = LIMITS) -> list[Gate]:
    """The result of every gate. A target that was not judged does not pass."""
    alone = [Gate(gate.code, gate.title, *gate.evaluate(card, limits)) for gate in GATES]
    return [*alone, Gate("G8", "It stands against the champion", *_duel(against))]


def failed(gates: list[Gate]) -> list[Gate]:
    return [gate for gate in gates if not gate.passed]


def _auc(card: Mapping[str, Any], limits: QualityLimits) -> tuple[str, str, bool]:
    return _beats(card, "churn", "auc", sign=1)


def _brier(card: Mapping[str, Any], limits: QualityLimits) -> tuple[str, str, bool]:
    return _beats(card, "churn", "brier", sign=-1)


def _ngini(card: Mapping[str, Any], limits: QualityLimits) -> tuple[str, str, bool]:
    return _beats(card, "value", "ngini", sign=1)


def _ece(card: Mapping[str, Any], limits: QualityLimits) -> tuple[str, str, bool]:
    gap = _number(card, "churn", MODEL, "ece")
    return _describe("ECE", gap), f"at most {limits.ece:g}", gap <= limits.ece


def _mae(card: Mapping[str, Any], limits: QualityLimits) -> tuple[str, str, bool]:
    ours, theirs = (_number(card, "value", model, "mae") for model in (MODEL, CLOSED_FORM))
    noise = card.get("value", {}).get("mae_over_closed_form", {"low": ours - theirs})
    measured = f"{_describe('MAE', ours)}, {ours - theirs:+.4g} to the closed form" if ours == ours else UNKNOWN
    return measured, f"not above {theirs:.4g} of {CLOSED_FORM} beyond noise", ours <= theirs or noise["low"] <= 0


def _bias(card: Mapping[str, Any], limits: QualityLimits) -> tuple[str, str, bool]:
    off = _number(card, "value", MODEL, "bias")
    measured = UNKNOWN if math.isnan(off) else f"bias {off:+.1%}"
    return measured, f"between -{limits.bias:.0%} and +{limits.bias:.0%}", abs(off) <= limits.bias


def _enough(card: Mapping[str, Any], limits: QualityLimits) -> tuple[str, str, bool]:
    churn = card.get("churn", {})
    buyers, churned = churn.get("n_customers", 0), churn.get("n_churned", 0)
    kept = buyers - churned
    required = f"at least {limits.buyers:,} buyers, {limits.of_each:,} churned and {limits.of_each:,} kept"
    is_enough = buyers >= limits.buyers and min(churned, kept) >= limits.of_each
    return f"{buyers:,} buyers, {churned:,} churned, {kept:,} kept", required, is_enough


def _duel(against: Duel) -> tuple[str, str, bool]:
    reasons = {
        "first": "there is no champion yet",
        "itself": "it is the champion already",
        "apart": f"not comparable: {against.why}",
    }
    measured = ", ".join(f"{name} {_gap(each)}" for name, each in against.differences.items())
    required = {
        "paired": "better in one and worse in none, beyond noise, on the same customers",
        "refresh": "worse in none beyond noise, the same settings on newer data",
    }
    return (
        reasons.get(against.kind, measured or UNKNOWN),
        required.get(against.kind, "better than the champion, where there is another"),
        against.is_won,
    )


def _gap(found: Difference) -> str:
    return f"{found.value:+.4g} ({found.low:+.4g} to {found.high:+.4g}): {found.verdict}"


def _beats(card: Mapping[str, Any], target: str, metric: str, sign: int) -> tuple[str, str, bool]:
    """Strictly better than the best rival that has the metric; `sign` 1 where more is better, -1 where less is."""
    ours = _number(card, target, MODEL, metric)
    rivals = [model for model in _models(card, target) if model != MODEL]
    found = {model: _number(card, target, model, metric) for model in rivals}
    known = {model: value for model, value in found.items() if not math.isnan(value)}
    best = max(known, key=lambda model: sign * known[model], default=None)
    if best is None or math.isnan(ours):
        return UNKNOWN, "better than every baseline", False
    side = "above" if sign > 0 else "below"
    return _describe(metric, ours), f"{side} {known[best]:.4f} of {best}", sign * ours > sign * known[best]


def _models(card: Mapping[str, Any], target: str) -> Mapping[str, Any]:
    models: Mapping[str, Any] = card.get(target, {}).get("models", {})
    return models


def _number(card: Mapping[str, Any], target: str, model: str, metric: str) -> float:
    return float(_models(card, target).get(model, {}).get(metric, {}).get("value", math.nan))


def _describe(metric: str, value: float) -> str:
    return UNKNOWN if math.isnan(value) else f"{metric} {value:.4f}"


GATES = (
    Named("G1", "Churn is ranked better than every baseline", _auc),
    Named("G2", "Churn probabilities beat every baseline", _brier),
    Named("G3", "A stated risk is what happens", _ece),
    Named("G4", "Value is ranked better than every baseline", _ngini),
    Named("G5", "The error in money is not worse than the closed form's", _mae),
    Named("G6", "The total is right", _bias),
    Named("G7", "There is enough data", _enough),
)
