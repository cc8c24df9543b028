"""Fit the value model: a stack of the closed form's log-money, a linear model and trees, at the level that held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.models import value
from tiercast.models.stack import Stack
from tiercast.models.value import ValueModel
from tiercast.training.fit import level_rule, plain_rules, stacking
from tiercast.training.fit.boosting import Target
from tiercast.training.fit.level_rule import LevelChoice
from tiercast.training.settings import Settings
from tiercast.training.windows import schedule
from tiercast.training.windows.schedule import Fold
from tiercast.training.windows.snapshots import Snapshot

LEAST_WITH_VALUE = 100


class Unseen(NamedTuple):
    """A forecast for a later window, at the level its own date would have given it."""

    snapshot: Snapshot
    value: Vector


class ValueFit(NamedTuple):
    """The model, how it came about, and its forecasts for windows it had not seen."""

    model: ValueModel
    n_folds: int
    level: LevelChoice
    unseen: tuple[Unseen, ...]
    note: str


def fit(
    snapshots: Sequence[Snapshot],
    now: Snapshot,
    names: tuple[str, ...],
    labels: tuple[str, ...],
    settings: Settings,
    rule: str = "",
) -> ValueFit:
    """The value model on all given windows (labels closed, oldest first), its level set for `now`.

    With `rule`, that plain rule is fitted instead of the stack.
    """
    asked = target(names, labels, settings)
    if not is_enough(snapshots):
        few = f"Fewer than {LEAST_WITH_VALUE} customers brought money in a closed window"
        note = f"{few if snapshots else f'No window of {asked.days} days has closed'}: the closed form alone."
        return ValueFit(ValueModel(Stack(float(asked.days))), 0, LevelChoice(level_rule.OWN, {}), (), note)
    folds = schedule.folds(snapshots, asked.days, settings.rolling.most_folds)
    learn = stacking.learner(asked, settings.trees_of("value"), settings.rolling, rule)
    final, fitted = learn(snapshots), [learn(fold.train) for fold in folds]
    if folds and not rule:
        weights = stacking.weigh(asked, fitted[-1], folds[-1])
        final, fitted = final._replace(weights=weights), [each._replace(weights=weights) for each in fitted]
    note = plain_rules.describe(rule) if rule else stacking.describe(final.weights, len(folds))
    made = _with_folds(final, fitted, folds, now) if folds else _without_folds(final, snapshots[-1], now)
    return made._replace(note=f"{note} {made.note}")


def target(names: tuple[str, ...], labels: tuple[str, ...], settings: Settings) -> Target:
    """Money of the value horizon, beside the closed form's."""
    return Target("tweedie", realised, lambda s: value.start(s.frame), names, labels, settings.horizons.value_days)


def is_enough(snapshots: Sequence[Snapshot]) -> bool:
    """At least 100 customers who brought money in one window: below that, nothing is learned."""
    return bool(snapshots) and max((realised(s) > 0).sum() for s in snapshots) >= LEAST_WITH_VALUE


def has_money(snapshot: Snapshot) -> bool:
    """Whether anybody brought money in the closed window of the snapshot."""
    return bool((realised(snapshot) > 0).any())


def realised(snapshot: Snapshot) -> Vector:
    """The closed label of a snapshot: money of the value horizon, net of refunds, not below 0."""
    if snapshot.value is None:
        raise errors.NotEnoughData(
            "the value window is still open", first=str(snapshot.as_of), hint="use an earlier as-of date"
        )
    return snapshot.value


def _with_folds(final: Stack, fitted: Sequence[Stack], folds: Sequence[Fold], now: Snapshot) -> ValueFit:
    """The level by the rule that was closest on later windows, for members that had not seen them."""
    forecasts = [value.value(ValueModel(each), fold.test.frame) for each, fold in zip(fitted, folds, strict=True)]
    today = level_rule.multipliers(value.value(ValueModel(final), now.frame), now)
    rule = level_rule.choose([_totals(f, fold.test) for f, fold in zip(forecasts, folds, strict=True)], today.keys())
    unseen = tuple(
        Unseen(fold.test, f * level_rule.multipliers(f, fold.test)[rule.rule])
        for f, fold in zip(forecasts, folds, strict=True)
    )
    note = f"Level by {rule.rule}, chosen on {len(folds)} later window(s)."
    return ValueFit(ValueModel(final, today[rule.rule]), len(folds), rule, unseen, note)


def _without_folds(final: Stack, newest: Snapshot, now: Snapshot) -> ValueFit:
    """No window later than another's end: equal weights, the closed form's total, and ranges from seen outcomes."""
    then = value.value(_levelled(final, level_rule.CLOSED_FORM, newest), newest.frame)
    model = _levelled(final, level_rule.CLOSED_FORM, now)
    note = "Level by closed_form; ranges learned in sample."
    return ValueFit(model, 0, LevelChoice(level_rule.CLOSED_FORM, {}), (Unseen(newest, then),), note)


def _totals(forecast: Vector, test: Snapshot) -> tuple[dict[str, float], float, float]:
    return level_rule.multipliers(forecast, test), float(forecast.sum()), float(realised(test).sum())


def _levelled(fitted: Stack, rule: str, now: Snapshot) -> ValueModel:
    model = ValueModel(fitted)
    return model._replace(level=level_rule.multipliers(value.value(model, now.frame), now)[rule])
