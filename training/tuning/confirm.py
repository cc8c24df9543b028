"""Is the gain real? The best settings against the defaults on a window that the search has not seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from tiercast.contract.vectors import Vector
from tiercast.models import churn, value
from tiercast.training.evaluation import level, outcomes, probability, ranking
from tiercast.training.evaluation.bootstrap import Measure, Metric
from tiercast.training.evaluation.scorecard import paired_difference
from tiercast.training.fit import churn_model, value_model
from tiercast.training.settings import Settings
from tiercast.training.tuning.stage import Stage


class Confirmed(NamedTuple):
    """The gain over the defaults on the newest earlier window, with its 95 % interval over customers.

    `gain` is relative, 0.01 is one percent: less log loss (churn); more Gini and less error at the actual total, added
    up (value). `others` are gains in metrics of the report card, in their own units, positive where better.
    """

    as_of: dt.date
    days: int
    n_customers: int
    gain: Metric
    others: dict[str, Metric]

    @property
    def is_beyond_noise(self) -> bool:
        return self.gain.low > 0


def confirm(stage: Stage, defaults: Settings, tuned: Settings) -> Confirmed:
    """Both settings go through the whole fit as of that day; the same customers are resampled for both."""
    forecast, compare = (_churn, _compare_churn) if stage.model == "churn" else (_value, _compare_value)
    actual = (churn_model.churned if stage.model == "churn" else value_model.realised)(stage.outcome)
    r = tuned.rolling
    gain, others = compare(forecast(stage, tuned), forecast(stage, defaults), actual, (r.bootstrap_draws, r.seed))
    return Confirmed(stage.now.as_of, stage.days, len(actual), gain, others)


Compared = tuple[Metric, dict[str, Metric]]


def _compare_churn(ours: Vector, theirs: Vector, churned: Vector, draws: tuple[int, int]) -> Compared:
    unit = probability.log_loss(outcomes.pair(theirs, churned))
    gain = paired_difference(lambda p: -probability.log_loss(p) / unit, ours, theirs, churned, *draws)
    shown: Mapping[str, Measure] = {"auc": ranking.auc, "brier": lambda p: -probability.brier(p)}
    return gain, {name: paired_difference(m, ours, theirs, churned, *draws) for name, m in shown.items()}


def _compare_value(ours: Vector, theirs: Vector, realised: Vector, draws: tuple[int, int]) -> Compared:
    """The decision is made at the actual total, as when trees are weighed; nGini and MAE are shown as forecast."""
    a, b = (forecast * (realised.sum() / forecast.sum()) for forecast in (ours, theirs))
    pairs = outcomes.pair(b, realised)
    gini, error = ranking.ngini(pairs), level.mae(pairs)
    gain = paired_difference(lambda p: ranking.ngini(p) / gini - level.mae(p) / error, a, b, realised, *draws)
    shown: Mapping[str, Measure] = {"ngini": ranking.ngini, "mae": lambda p: -level.mae(p)}
    return gain, {name: paired_difference(m, ours, theirs, realised, *draws) for name, m in shown.items()}


def _churn(stage: Stage, settings: Settings) -> Vector:
    fitted = churn_model.fit(stage.earlier, stage.now, stage.names, stage.labels, settings)
    return churn.p_churn(fitted.model, stage.now.frame)


def _value(stage: Stage, settings: Settings) -> Vector:
    fitted = value_model.fit(stage.earlier, stage.now, stage.names, stage.labels, settings)
    return value.value(fitted.model, stage.now.frame)
