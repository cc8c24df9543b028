"""What one model is tuned on: folds to search on, and one later window, before the holdout, to confirm on.

    windows closed by C ......| folds: the search |
                              C .. C + horizon ...| the newest earlier window: the confirmation
                                                  E | the holdouts of the final training

E is the day on which the earlier of the two holdouts begins. Nothing on or after E is known here.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from tiercast.models import btyd
from tiercast.training.check import least_history
from tiercast.training.fit import churn_model, value_model
from tiercast.training.settings import Horizons, Model, Settings
from tiercast.training.windows import schedule
from tiercast.training.windows.schedule import Fold
from tiercast.training.windows.snapshots import Snapshot, Snapshots

ENOUGH = {"churn": churn_model.is_enough, "value": value_model.is_enough}


class Stage(NamedTuple):
    """`earlier` are the windows closed when `now` began, oldest first; `outcome` is `now` with its labels."""

    model: Model
    folds: tuple[Fold, ...]
    earlier: tuple[Snapshot, ...]
    now: Snapshot
    outcome: Snapshot
    days: int
    names: tuple[str, ...]
    labels: tuple[str, ...]


def known_until(as_of: dt.date, horizons: Horizons) -> dt.date:
    """The day before which everything was over when the holdouts of a training on `as_of` began.

    >>> known_until(dt.date(2024, 6, 30), Horizons(churn_days=30, value_days=90))
    datetime.date(2024, 4, 1)
    """
    return as_of - dt.timedelta(max(horizons.both))


def needed_days(days: int) -> int:
    """Days of history before E: a confirmation, a fold's later window, one closed before it, and what that one needs.

    >>> needed_days(30), needed_days(365)
    (105, 1186)
    """
    step = (days + 1) // 2  # windows are half a horizon apart, so two steps back the first one is closed
    return 2 * days + 2 * step + least_history.before(days)


def set_up(snapshots: Snapshots, model: Model, settings: Settings) -> Stage | None:
    """The stage of a model; None where history is too short, or where too little happened for trees to be grown."""
    h, rolling = settings.horizons, settings.rolling
    days = h.churn_days if model == "churn" else h.value_days
    day = snapshots.known_until - dt.timedelta(days)
    dates = schedule.plan(snapshots.first_on, day, days, rolling.most_windows)
    if not dates:
        return None
    snapshots.all_at(dates)  # kept there, so that the other model's stage need not build them again
    then = snapshots.until(day)
    earlier = then.all_at(dates)
    folds = schedule.folds(earlier, days, rolling.most_folds)
    if not folds or not ENOUGH[model](earlier):
        return None
    spec = snapshots.spec
    names = (*spec.names, *btyd.NAMES)
    return Stage(model, folds, tuple(earlier), then.at(day), snapshots.at(day), days, names, spec.labels)
