"""Fit the churn model: a stack of the order model's log-odds, a linear model and trees, weighed on later time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.models import btyd, churn, stack
from tiercast.models.churn import ChurnModel
from tiercast.models.stack import Stack
from tiercast.training.fit import plain_rules, stacking
from tiercast.training.fit.boosting import Target
from tiercast.training.settings import Settings
from tiercast.training.windows import schedule, season
from tiercast.training.windows.snapshots import Snapshot

LEAST_OF_EACH = 100


class ChurnFit(NamedTuple):
    """The model, and how it came about. `n_folds` is 1 where a later window weighed the members, else 0.

    `usual_shift` is the season that the windows had on average, None where the season is not told by last year's (see
    `tiercast.training.windows.season`); `model` is then moved to the season of the window to come. `rule` names the
    plain rule that forecasts instead of the stack, if one does.
    """

    model: ChurnModel
    n_folds: int
    note: str
    usual_shift: float | None = None
    rule: str = ""


def fit(
    snapshots: Sequence[Snapshot],
    now: Snapshot,
    names: tuple[str, ...],
    labels: tuple[str, ...],
    settings: Settings,
    rule: str = "",
) -> ChurnFit:
    """The churn model on all given windows, oldest first, their labels all closed, for the window that begins `now`.

    Without an earlier window to weigh the members on, each counts a third; with fewer than 100 churned or kept
    customers the closed form stands alone. With `rule`, that plain rule is fitted instead. `note` says which.
    """
    days = settings.horizons.churn_days
    if not is_enough(snapshots):
        note = f"{_why_not(snapshots, days)}: the closed form alone."
        return ChurnFit(ChurnModel(Stack(float(days))), 0, note)
    asked = target(names, labels, settings)
    learn = stacking.learner(asked, settings.trees_of("churn"), settings.rolling, rule)
    fitted, folds = learn(snapshots), [] if rule else schedule.folds(snapshots, days, 1)
    if folds:
        fitted = fitted._replace(weights=stacking.weigh(asked, learn(folds[0].train), folds[0]))
    usual = _usual_shift(snapshots, days)
    note = plain_rules.describe(rule) if rule else stacking.describe(fitted.weights, len(folds))
    return ChurnFit(ChurnModel(fitted, _season(usual, now)), len(folds), note + _season_note(usual), usual, rule)


def fit_until(
    snapshots: Sequence[Snapshot],
    then: Snapshot,
    fitted: ChurnFit,
    task_names: tuple[str, ...],
    labels: tuple[str, ...],
    settings: Settings,
) -> ChurnModel:
    """The same model as it would have been on the day of `then`: learned only on windows closed by that day."""
    asked = target(task_names, labels, settings)
    horizon = dt.timedelta(asked.days)
    closed = [s for s in snapshots if s.as_of + horizon <= then.as_of]
    shift = _season(fitted.usual_shift, then)
    weights = fitted.model.stack.weights
    if weights == stack.CLOSED_FORM or not closed:
        return ChurnModel(Stack(float(asked.days)), shift)
    learn = stacking.learner(asked, settings.trees_of("churn"), settings.rolling, fitted.rule)
    return ChurnModel(learn(closed)._replace(weights=weights), shift)


def target(names: tuple[str, ...], labels: tuple[str, ...], settings: Settings) -> Target:
    """Who places no order in the churn horizon, beside the order model's log-odds."""
    return Target("binary", churned, lambda s: churn.start(s.frame), names, labels, settings.horizons.churn_days)


def is_enough(snapshots: Sequence[Snapshot]) -> bool:
    """At least 100 churned and 100 kept customers in one window: below that, nothing is learned."""
    return bool(snapshots) and _rarest(snapshots) >= LEAST_OF_EACH


def has_returned(snapshot: Snapshot) -> bool:
    """Whether anybody came back in the closed window of the snapshot."""
    return bool((churned(snapshot) == 0).any())


def churned(snapshot: Snapshot) -> Vector:
    """The closed label of a snapshot; 1.0 means no order inside the horizon."""
    if snapshot.churned is None:
        raise errors.NotEnoughData(
            "the label window is still open", first=str(snapshot.as_of), hint="use an earlier as-of date"
        )
    return snapshot.churned


def _why_not(snapshots: Sequence[Snapshot], days: int) -> str:
    if not snapshots:
        return f"No window of {days} days has closed in which somebody came back"
    return f"Fewer than {LEAST_OF_EACH} churned or kept customers"


def _rarest(snapshots: Sequence[Snapshot]) -> float:
    """How many churned or kept customers there are, whichever are fewer, in the richest window."""
    return max(float(min(churned(s).sum(), (1 - churned(s)).sum())) for s in snapshots)


def _usual_shift(snapshots: Sequence[Snapshot], days: int) -> float | None:
    shifts = [season.shift(s.features[btyd.P_CHURN].to_numpy(), churned(s)) for s in snapshots]
    if not season.follows_last_year(shifts, [s.season_shift for s in snapshots]):
        return None
    return float(np.average(shifts, weights=stacking.by_age([s.as_of for s in snapshots], days)))


def _season(usual_shift: float | None, snapshot: Snapshot) -> float:
    """By how much this window's season is expected to differ from the usual one, in log-odds."""
    if usual_shift is None or snapshot.season_shift is None:
        return 0.0
    return snapshot.season_shift - usual_shift


def _season_note(usual_shift: float | None) -> str:
    return "" if usual_shift is None else " The season is last year's."
