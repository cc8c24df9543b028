"""Fit the churn model: trees on the order model's log-odds, their number and calibration by later windows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.models import btyd, churn
from tiercast.models.calibration import Calibration
from tiercast.models.churn import ChurnModel
from tiercast.models.trees.boosted import BoostedTrees
from tiercast.training.fit import boosting, platt
from tiercast.training.fit.boosting import Task
from tiercast.training.settings import Settings
from tiercast.training.windows import schedule, season
from tiercast.training.windows.snapshots import Snapshot

LEAST_OF_EACH = 100


class ChurnFit(NamedTuple):
    """The model, and how it came about. `losses` is empty without folds.

    `usual_shift` is the season that the calibration windows had on average, None where the season is not told by last
    year's (see `training.windows.season`); `model` is then calibrated for the season of the window to come.
    """

    model: ChurnModel
    rounds: int
    losses: Vector
    n_folds: int
    note: str
    calibration: Calibration
    usual_shift: float | None = None


def fit(
    snapshots: Sequence[Snapshot], now: Snapshot, names: tuple[str, ...], labels: tuple[str, ...], settings: Settings
) -> ChurnFit:
    """The churn model on all given windows, oldest first, their labels all closed, for the window that begins `now`.

    Without an earlier window to test on, the trees are few and not calibrated; with fewer than 100
    churned or kept customers there are no trees at all. `note` says which.
    """
    asked, told = task(names, labels), settings.trees_of("churn")
    if not is_enough(snapshots):
        return _closed_form_only(snapshots)
    horizon = settings.horizons.churn_days
    folds = schedule.folds(snapshots, horizon, settings.rolling.most_folds)
    if not folds:
        rounds = told.rounds_without_folds
        trees = boosting.grow(asked, snapshots, rounds, told, settings.rolling)
        note = f"No earlier window to test on: {rounds} trees, not calibrated on later time."
        return ChurnFit(ChurnModel(trees, Calibration()), rounds, np.zeros(0), 0, note, Calibration())
    chosen = boosting.choose_rounds(asked, folds, told, settings.rolling)
    calibration = _calibrate(chosen.by_fold, [fold.test for fold in folds])
    trees = boosting.grow(asked, snapshots, chosen.rounds, told, settings.rolling)
    usual = _usual_shift(snapshots, [fold.test for fold in folds])
    note = f"{chosen.rounds} trees and the calibration chosen on {len(folds)} later window(s)."
    note += "" if usual is None else " The season is last year's."
    model = ChurnModel(trees, _in_season(calibration, usual, now))
    return ChurnFit(model, chosen.rounds, chosen.losses, len(folds), note, calibration, usual)


def fit_until(
    snapshots: Sequence[Snapshot],
    then: Snapshot,
    fitted: ChurnFit,
    task_names: tuple[str, ...],
    labels: tuple[str, ...],
    settings: Settings,
) -> ChurnModel:
    """The same model as it would have been on the day of `then`: trees grown only on windows closed by that day."""
    horizon = dt.timedelta(settings.horizons.churn_days)
    closed = [s for s in snapshots if s.as_of + horizon <= then.as_of]
    calibration = _in_season(fitted.calibration, fitted.usual_shift, then)
    if fitted.model.trees is None or not closed:
        return ChurnModel(None, calibration)
    trees = boosting.grow(task(task_names, labels), closed, fitted.rounds, settings.trees_of("churn"), settings.rolling)
    return ChurnModel(trees, calibration)


def task(names: tuple[str, ...], labels: tuple[str, ...]) -> Task:
    """What the trees learn: who placed no order, starting from BG/NBD's log-odds."""
    return Task("binary", churned, lambda s: churn.offset(s.frame), names, labels)


def is_enough(snapshots: Sequence[Snapshot]) -> bool:
    """At least 100 churned and 100 kept customers in one window: below that, no trees are grown."""
    return bool(snapshots) and _rarest(snapshots) >= LEAST_OF_EACH


def churned(snapshot: Snapshot) -> Vector:
    """The closed label of a snapshot; 1.0 means no order inside the horizon."""
    if snapshot.churned is None:
        raise errors.NotEnoughData(
            "the label window is still open", first=str(snapshot.as_of), hint="use an earlier as-of date"
        )
    return snapshot.churned


def _rarest(snapshots: Sequence[Snapshot]) -> float:
    """How many churned or kept customers there are, whichever are fewer, in the richest window."""
    return max(float(min(churned(s).sum(), (1 - churned(s)).sum())) for s in snapshots)


def _calibrate(by_fold: Sequence[BoostedTrees], tests: Sequence[Snapshot]) -> Calibration:
    z = [churn.uncalibrated(trees, s.frame) for trees, s in zip(by_fold, tests, strict=True)]
    return platt.fit(np.concatenate(z), np.concatenate([churned(s) for s in tests]))


def _usual_shift(snapshots: Sequence[Snapshot], tests: Sequence[Snapshot]) -> float | None:
    shifts = [_shift(s) for s in snapshots]
    if not season.is_told_by_last_year(shifts, [s.season_shift for s in snapshots]):
        return None
    return float(np.mean([_shift(test) for test in tests]))


def _shift(snapshot: Snapshot) -> float:
    return season.shift(snapshot.features[btyd.P_CHURN].to_numpy(), churned(snapshot))


def _in_season(calibration: Calibration, usual_shift: float | None, snapshot: Snapshot) -> Calibration:
    """The calibration moved by as much as this window's season is expected to differ from the usual one."""
    if usual_shift is None or snapshot.season_shift is None:
        return calibration
    return calibration._replace(intercept=calibration.intercept + snapshot.season_shift - usual_shift)


def _closed_form_only(snapshots: Sequence[Snapshot]) -> ChurnFit:
    newest = snapshots[-1]
    calibration = platt.fit(churn.offset(newest.frame), churned(newest))
    note = f"Fewer than {LEAST_OF_EACH} churned or kept customers: the closed form alone, calibrated."
    return ChurnFit(ChurnModel(None, calibration), 0, np.zeros(0), 0, note, calibration)


def centre(snapshot: Snapshot) -> float:
    """The mean closed-form log-odds, from which its share in a customer's reasons is measured."""
    buyers = ~np.isnan(snapshot.features[btyd.P_CHURN].to_numpy())
    return float(churn.offset(snapshot.frame)[buyers].mean())
