"""Fit the value model: trees on the closed form's log-money, as far as they help, at the level that held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.models import btyd, churn, value
from tiercast.models.churn import ChurnModel
from tiercast.models.trees.boosted import BoostedTrees
from tiercast.models.value import ValueModel
from tiercast.training.fit import boosting, level_rule, shrinkage
from tiercast.training.fit.boosting import Choice, Task
from tiercast.training.fit.level_rule import LevelChoice
from tiercast.training.fit.shrinkage import Seen, Shrinkage
from tiercast.training.settings import Horizons, Settings
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
    rounds: int
    losses: Vector
    shrinkage: Shrinkage
    level: LevelChoice
    unseen: tuple[Unseen, ...]
    note: str


def fit(
    snapshots: Sequence[Snapshot],
    now: Snapshot,
    churn_model: ChurnModel,
    names: tuple[str, ...],
    labels: tuple[str, ...],
    settings: Settings,
) -> ValueFit:
    """The value model on all given windows (labels closed, oldest first), its level set for `now`."""
    if not is_enough(snapshots):
        note = f"Fewer than {LEAST_WITH_VALUE} customers brought money in a closed window: the closed form alone."
        return ValueFit(ValueModel(None), 0, np.zeros(0), Shrinkage(0.0, ()), LevelChoice(level_rule.OWN, {}), (), note)
    folds = schedule.folds(snapshots, settings.horizons.value_days, settings.rolling.most_folds)
    if not folds:
        return _without_folds(snapshots[-1], now, churn_model, settings.horizons)
    return _with_folds(task(names, labels), snapshots, folds, now, settings)


def task(names: tuple[str, ...], labels: tuple[str, ...]) -> Task:
    """What the trees learn: money of the value horizon, starting from the closed form's."""
    return Task("tweedie", realised, _offset, names, labels)


def is_enough(snapshots: Sequence[Snapshot]) -> bool:
    """At least 100 customers who brought money in one window: below that, no trees are grown."""
    return bool(snapshots) and max((realised(s) > 0).sum() for s in snapshots) >= LEAST_WITH_VALUE


def _with_folds(
    task: Task, snapshots: Sequence[Snapshot], folds: Sequence[Fold], now: Snapshot, settings: Settings
) -> ValueFit:
    """Trees; how many, how much of them and which level, all chosen on later windows."""
    told = settings.trees_of("value")
    chosen = boosting.choose_rounds(task, folds, told, settings.rolling)
    later = seen(chosen, folds)
    shrink = shrinkage.choose(later)
    forecasts = [value.corrected(s.closed_form, s.correction, shrink.shrink) for s in later]
    trees = boosting.grow(task, snapshots, chosen.rounds, told, settings.rolling)
    model = ValueModel(trees, shrink.shrink)
    today = level_rule.multipliers(value.value(model, now.frame, _nobody(now)), now)
    rule = level_rule.choose([_totals(f, fold.test) for f, fold in zip(forecasts, folds, strict=True)], today.keys())
    model = model._replace(level=today[rule.rule])
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


def seen(chosen: Choice, folds: Sequence[Fold]) -> list[Seen]:
    """What the folds' trees say of their later windows, beside what happened there."""
    return [_seen(trees, fold.test) for trees, fold in zip(chosen.by_fold, folds, strict=True)]


def _seen(trees: BoostedTrees, test: Snapshot) -> Seen:
    frame = test.frame
    return Seen(frame[btyd.VALUE], value.correction(trees, frame), realised(test))


def _totals(forecast: Vector, test: Snapshot) -> tuple[dict[str, float], float, float]:
    return level_rule.multipliers(forecast, test), float(forecast.sum()), float(realised(test).sum())


def _unseen(forecasts: Sequence[Vector], folds: Sequence[Fold], rule: str) -> tuple[Unseen, ...]:
    pairs = zip(forecasts, folds, strict=True)
    return tuple(Unseen(fold.test, f * level_rule.multipliers(f, fold.test)[rule]) for f, fold in pairs)


def _levelled(model: ValueModel, rule: str, now: Snapshot, p_churn: Vector) -> ValueModel:
    return model._replace(level=level_rule.multipliers(value.value(model, now.frame, p_churn), now)[rule])


def _without_folds(newest: Snapshot, now: Snapshot, churn_model: ChurnModel, horizons: Horizons) -> ValueFit:
    """No later window to test trees on: the closed form, its chance of an order corrected by the churn model.

    What the churn model knows covers the churn horizon: of a longer value horizon, it is believed for that share.
    """
    plain = ValueModel(None, by_churn=min(1.0, horizons.churn_days / horizons.value_days))
    p_then, p_now = (churn.p_churn(churn_model, s.frame) for s in (newest, now))
    then = _levelled(plain, level_rule.CLOSED_FORM, newest, p_then)
    unseen = (Unseen(newest, value.value(then, newest.frame, p_then)),)
    note = "No later window to test trees on: the closed form, corrected by the churn model; intervals in sample."
    choice = LevelChoice(level_rule.CLOSED_FORM, {})
    model = _levelled(plain, level_rule.CLOSED_FORM, now, p_now)
    return ValueFit(model, 0, np.zeros(0), Shrinkage(0.0, ()), choice, unseen, note)


def _offset(snapshot: Snapshot) -> Vector:
    return value.offset(snapshot.frame)


def _nobody(snapshot: Snapshot) -> Vector:
    """Churn risks for a model that does not look at them."""
    return np.zeros(len(snapshot.features))
