"""Rolling as-of dates: each has features from before the day and a label window that has closed.

Rows are never split at random. A model is judged on a date whose label window lies after
everything it was fitted on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from tiercast.training.check import least_history
from tiercast.training.windows.snapshots import Snapshot


class Fold(NamedTuple):
    """Train on windows that were over before `test` began."""

    train: tuple[Snapshot, ...]
    test: Snapshot


def plan(first_on: dt.date, known_until: dt.date, horizon: int, most: int) -> tuple[dt.date, ...]:
    """As-of dates, oldest first, whose label windows end by `known_until`; half a horizon apart.

    Each has half a horizon of history behind it, or 90 days if that is less. Empty when history is too short.

    >>> plan(dt.date(2024, 1, 1), dt.date(2024, 7, 1), 60, most=3)
    (datetime.date(2024, 3, 3), datetime.date(2024, 4, 2), datetime.date(2024, 5, 2))
    """
    step = dt.timedelta((horizon + 1) // 2)  # rounded up: two steps back, a window of an odd horizon is over
    least = dt.timedelta(least_history.before(horizon))
    dates: list[dt.date] = []
    day = known_until - dt.timedelta(horizon)
    while len(dates) < most and day - least >= first_on:
        dates.append(day)
        day -= step
    return tuple(reversed(dates))


def testable_on(first_on: dt.date, churn_days: int, days: int) -> dt.date:
    """The first day on which a holdout of `days` can judge: a churn window has closed when it begins.

    >>> testable_on(dt.date(2024, 1, 1), 90, 365) - dt.date(2024, 1, 1) == dt.timedelta(45 + 90 + 365)
    True
    """
    return first_on + dt.timedelta(least_history.before(churn_days) + churn_days + days)


def folds(windows: Sequence[Snapshot], horizon: int, most: int) -> tuple[Fold, ...]:
    """The newest windows as tests, no two overlapping, each with what was over before it; oldest first."""
    found: list[Fold] = []
    limit = dt.date.max
    for test in reversed(windows):
        train = tuple(w for w in windows if w.as_of + dt.timedelta(horizon) <= test.as_of)
        if test.as_of + dt.timedelta(horizon) <= limit and train and len(found) < most:
            found.append(Fold(train, test))
            limit = test.as_of
    return tuple(reversed(found))
