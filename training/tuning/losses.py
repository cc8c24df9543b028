"""How wrong a model's trees are on later windows: what the search makes small.

The trees are judged alone, without the other members of the stack, for it is their settings that are searched. Churn is
judged by its log loss, value by the relative gain over the closed form in normalised Gini and in mean absolute error,
the latter at the actual total: how high the total should be is another question. Unlike the loss that value's trees are
grown by, this can be compared between variance powers.

What a trial is worth is asked again on a window that it has not seen, with the whole stack.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import expit

from tiercast.contract import vectors
from tiercast.contract.vectors import Vector
from tiercast.models import relative
from tiercast.models.trees import boosted
from tiercast.models.trees.boosted import BoostedTrees
from tiercast.training.evaluation import level, outcomes, probability, ranking
from tiercast.training.fit import boosting, churn_model, stacking, value_model
from tiercast.training.fit.boosting import Target
from tiercast.training.settings import Rolling, Settings, Trees
from tiercast.training.tuning.stage import Stage
from tiercast.training.windows.schedule import Fold
from tiercast.training.windows.snapshots import Snapshot

LARGEST_LOG = 60.0


def after_each_fold(stage: Stage, trees: Trees, settings: Settings) -> Iterator[float]:
    """The loss over the folds so far, oldest first; the last one counts. A hopeless trial need not be asked further.

    churn: mean log loss per customer. value: minus the mean relative gain, so 0 is the closed form.
    """
    kind = churn_model if stage.model == "churn" else value_model
    target = kind.target(stage.names, stage.labels, settings)
    found: list[float] = []
    for fold in stage.folds:
        grown = _grown(target, fold, trees, settings.rolling)
        found.append((_log_loss if stage.model == "churn" else _lost)(target, grown, fold.test))
        sizes = [len(each.test.features) for each in stage.folds[: len(found)]]
        yield float(np.average(found, weights=sizes if stage.model == "churn" else None))


def gain(stage: Stage, loss: float, of_defaults: float) -> float:
    """How much better than the defaults, 0.01 is one percent: of their log loss, or of the closed form's measures."""
    return 1 - loss / of_defaults if stage.model == "churn" else of_defaults - loss


def _grown(target: Target, fold: Fold, trees: Trees, rolling: Rolling) -> BoostedTrees:
    ages = stacking.by_age([snapshot.as_of for snapshot in fold.train], target.days)
    return boosting.grow(target, fold.train, ages, trees, rolling)


def _log_loss(target: Target, trees: BoostedTrees, test: Snapshot) -> float:
    return probability.log_loss(outcomes.pair(expit(_link(target, trees, test)), target.outcome(test)))


def _lost(target: Target, trees: BoostedTrees, test: Snapshot) -> float:
    """Minus the relative gain over the closed form: in Gini plus in MAE."""
    gini, error = _measures(_link(target, trees, test), target.outcome(test))
    gini_closed, error_closed = _measures(target.start(test), target.outcome(test))
    return -((gini - gini_closed) / abs(gini_closed) + (error_closed - error) / error_closed)


def _measures(link: Vector, actual: Vector) -> tuple[float, float]:
    forecast = np.exp(vectors.bounded(link, -LARGEST_LOG, LARGEST_LOG))
    pairs = outcomes.pair(forecast * (actual.sum() / forecast.sum()), actual)
    return ranking.ngini(pairs), level.mae(pairs)


def _link(target: Target, trees: BoostedTrees, test: Snapshot) -> Vector:
    columns = relative.columns(test.frame, trees.names, target.days)
    return boosted.raw_score(trees, columns, np.zeros(len(test.features)))
