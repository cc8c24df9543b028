"""Fit the value model: trees on the closed form's log-money, as far as they help, at the level that held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from contract import errors
from models import btyd, value
from models.boosted import Boosted
from models.value import ValueModel
from models.vectors import Vector
from training import boosting, level, shrinkage, windows
from training.boosting import Task
from training.level import LevelChoice
from training.settings import Settings
from training.shrinkage import Seen, Shrinkage
from training.snapshots import Snapshot
from training.windows import Fold

LEAST_WITH_VALUE = 100
UNTESTED = 0.5


class Unseen(NamedTuple):
    """A forecast for a later window, at the level its own date would have given it."""

    snapshot: Snapshot
    value: Vector


class ValueFit(NamedTuple):
    """The model, how it came about, and its forecasts for windows it had not seen."""

    model: ValueModel
    rounds: int
    losses: Vector
    shrinkage: Shrinkage
    level: LevelChoice
    unseen: tuple[Unseen, ...]
    note: str


def fit(
    snapshots: Sequence[Snapshot], now: Snapshot, names: tuple[str, ...], labels: tuple[str, ...], settings: Settings
) -> ValueFit:
    """The value model on all given windows (labels closed, oldest first), its level set for `now`."""
    task = Task("tweedie", realised, lambda s: value.offset(s.frame), names, labels)
    if not snapshots or max((realised(s) > 0).sum() for s in snapshots) < LEAST_WITH_VALUE:
        note = f"Fewer than {LEAST_WITH_VALUE} customers brought money in a closed window: the closed form alone."
        return ValueFit(ValueModel(None), 0, np.zeros(0), Shrinkage(0.0, ()), LevelChoice(level.OWN, {}), (), note)
    folds = windows.folds(snapshots, settings.horizons.value_days, settings.rolling.most_folds)
    if not folds:
        return _without_folds(task, snapshots, now, settings)
    chosen = boosting.choose_rounds(task, folds, settings.trees, settings.rolling)
    seen = [_seen(trees, fold.test) for trees, fold in zip(chosen.by_fold, folds, strict=True)]
    shrink = shrinkage.choose(seen)
    forecasts = [value.corrected(s.closed_form, s.correction, shrink.shrink) for s in seen]
    rule = level.choose([_totals(f, fold.test) for f, fold in zip(forecasts, folds, strict=True)])
    trees = boosting.grow(task, snapshots, chosen.rounds, settings.trees, settings.rolling)
    model = _levelled(trees, shrink.shrink, rule.rule, now)
    believed = f"{chosen.rounds} trees, {shrink.shrink:.0%} of what they say"
    note = f"{believed}, level by {rule.rule}: chosen on {len(folds)} later window(s)."
    unseen = _unseen(forecasts, folds, rule.rule)
    return ValueFit(model, chosen.rounds, chosen.losses, shrink, rule, unseen, note)


def realised(snapshot: Snapshot) -> Vector:
    """The closed label of a snapshot: money of the value horizon, net of refunds, not below 0."""
    if snapshot.value is None:
        raise errors.NotEnoughData(
            "the value window is still open", first=str(snapshot.as_of), hint="use an earlier as-of date"
        )
    return snapshot.value


def _seen(trees: Boosted, test: Snapshot) -> Seen:
    frame = test.frame
    return Seen(frame[btyd.VALUE], value.correction(trees, frame), realised(test))


def _totals(forecast: Vector, test: Snapshot) -> tuple[dict[str, float], float, float]:
    return level.multipliers(forecast, test), float(forecast.sum()), float(realised(test).sum())


def _unseen(forecasts: Sequence[Vector], folds: Sequence[Fold], rule: str) -> tuple[Unseen, ...]:
    pairs = zip(forecasts, folds, strict=True)
    return tuple(Unseen(fold.test, f * level.multipliers(f, fold.test)[rule]) for f, fold in pairs)


def _levelled(trees: Boosted, shrink: float, rule: str, now: Snapshot) -> ValueModel:
    frame = now.frame
    forecast = value.corrected(frame[btyd.VALUE], value.correction(trees, frame), shrink)
    return ValueModel(trees, shrink, level.multipliers(forecast, now)[rule])


def _without_folds(task: Task, snapshots: Sequence[Snapshot], now: Snapshot, settings: Settings) -> ValueFit:
    """Too little history to test on later time: few trees, half believed, at the closed form's level."""
    rounds = settings.trees.rounds_without_folds
    trees = boosting.grow(task, snapshots, rounds, settings.trees, settings.rolling)
    newest = snapshots[-1]
    model = _levelled(trees, UNTESTED, level.CLOSED_FORM, newest)
    unseen = (Unseen(newest, value.value(model, newest.frame)),)
    note = (
        f"No earlier window to test on: {rounds} trees, half of them, at the closed form's level; intervals in sample."
    )
    choice = LevelChoice(level.CLOSED_FORM, {})
    model = _levelled(trees, UNTESTED, level.CLOSED_FORM, now)
    return ValueFit(model, rounds, np.zeros(0), Shrinkage(UNTESTED, ()), choice, unseen, note)
