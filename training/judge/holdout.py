"""The holdout: the newest full label window, which nothing was fitted, tuned or selected on.

Churn and value have horizons of their own, so each is judged on its own newest window; the grid and
the intervals are judged on the value window.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.models import btyd, predict
from tiercast.models.bundle import Bundle
from tiercast.models.frame import Frame
from tiercast.models.predict import Predictions
from tiercast.tiers.grid import Cuts
from tiercast.training.evaluation import ranges, scorecard
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.evaluation.ranges import RangeCard
from tiercast.training.fit import churn_model, value_model
from tiercast.training.judge import baselines
from tiercast.training.judge.weekly import Weekly
from tiercast.training.settings import Settings
from tiercast.training.windows.snapshots import Snapshot

MODEL, CLOSED_FORM = "tiercast", "btyd"
Cards = Mapping[str, Mapping[str, Metric]]


class Earlier(Protocol):
    """The subject of a holdout: a procedure that was run, or a bundle with the newest windows for rules."""

    @property
    def bundle(self) -> Bundle: ...

    @property
    def newest_churn(self) -> Snapshot | None: ...

    @property
    def newest_value(self) -> Snapshot | None: ...


class Judged(NamedTuple):
    """One target on its holdout: the outcome, every model's and baseline's forecast, and their report cards.

    `cuts` are the grid's, as they were on the day the holdout began.
    `n_new` customers were first seen inside the window: nobody could have scored them.
    """

    as_of: dt.date
    days: int
    actual: Vector
    forecasts: Mapping[str, Vector]
    cards: Cards
    n_customers: int
    predictions: Predictions
    snapshot: Snapshot
    cuts: Cuts


class ValueJudged(NamedTuple):
    judged: Judged
    intervals: RangeCard
    frequency: pd.DataFrame
    tiers: NDArray[np.str_]
    weekly: Weekly | None = None


def newest_window(was: Earlier) -> Snapshot:
    """What plain rules learn from. Raises NotEnoughData where no churn window had closed in which somebody bought."""
    if was.newest_churn is None:
        about = was.bundle.about
        raise errors.NotEnoughData(
            f"the history is too short for a label window of {about.churn_days} days in which somebody bought",
            first=f"known until {about.as_of}",
            hint="use a shorter churn horizon, a later day or more history",
        )
    return was.newest_churn


def judge_churn(was: Earlier, now: Snapshot, settings: Settings) -> Judged:
    """The churn model as it would have been on `now.as_of`, against what happened after."""
    predictions = predict.predict(was.bundle, _raw(was, now))
    actual = churn_model.churned(now)
    forecasts = {MODEL: predictions.p_churn, CLOSED_FORM: now.features[btyd.P_CHURN].to_numpy()}
    earlier = newest_window(was)
    learned = baselines.Cohort(earlier.features, earlier.churned, None)
    rules = baselines.churn_baselines(learned, baselines.Cohort(now.features), settings.horizons.churn_days)
    forecasts |= rules
    r = settings.rolling
    cards = {name: scorecard.churn_card(p, actual, r.bootstrap_draws, r.seed) for name, p in forecasts.items()}
    days = settings.horizons.churn_days
    return Judged(now.as_of, days, actual, forecasts, cards, len(actual), predictions, now, was.bundle.cuts)


def judge_value(was: Earlier, now: Snapshot, settings: Settings) -> ValueJudged:
    """The value model likewise, with its intervals and the frequency bins of the protocol."""
    predictions = predict.predict(was.bundle, _raw(was, now))
    actual, h, r = value_model.realised(now), settings.horizons, settings.rolling
    forecasts = {MODEL: predictions.value, CLOSED_FORM: now.features[btyd.VALUE].to_numpy()}
    forecasts |= _value_rules(was, now, h.value_days)
    cards = {name: scorecard.value_card(f, actual, r.bootstrap_draws, r.seed) for name, f in forecasts.items()}
    judged = Judged(now.as_of, h.value_days, actual, forecasts, cards, len(actual), predictions, now, was.bundle.cuts)
    certainty = predictions.certainty
    intervals = ranges.card(certainty.value_low, certainty.value_high, actual, predictions.tiers)
    repeats = now.features["n_repeat_orders"].to_numpy()
    shown = {name: forecasts[name] for name in (MODEL, CLOSED_FORM, "naive_rate")}
    return ValueJudged(judged, intervals, scorecard.frequency_table(repeats, actual, shown), predictions.tiers)


def _value_rules(was: Earlier, now: Snapshot, value_days: int) -> dict[str, Vector]:
    """The value baselines. Without an earlier window whose outcome was known, recency is left out, and average spend
    takes everybody for retained."""
    earlier = was.newest_value
    today = baselines.Cohort(now.features)
    learned = earlier or now._replace(value=np.zeros(len(now.features)))
    rules = baselines.value_baselines(baselines.Cohort(learned.features, None, learned.value), today, value_days)
    if earlier:
        return rules
    unlearned = {"average_spend": baselines.average_spend(today, value_days)}
    return {name: rule for name, rule in (rules | unlearned).items() if name != "recency"}


def _raw(was: Earlier, now: Snapshot) -> Frame:
    """The features alone: the bundle adds its own closed-form columns, as it does when scoring."""
    return now.columns(was.bundle.spec.names)
