"""How wrong a model's trees are on later windows: what the search makes small.

Churn is judged by its log loss, value as it is when a training decides how much of the trees to believe: by the
relative gain in Gini and in error over the closed form, at the actual total. Unlike the loss that value's trees
are grown by, this can be compared between variance powers.

The same later windows tell each trial when to stop growing, so every loss here is a little too good, in the same way
for all of them. What a trial is worth is asked again on a window that it has not seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from tiercast.training.fit import boosting, churn_model, shrinkage, value_model
from tiercast.training.fit.boosting import Watched
from tiercast.training.settings import Rolling, Trees
from tiercast.training.tuning.stage import Stage


def after_each_fold(stage: Stage, trees: Trees, rolling: Rolling) -> Iterator[float]:
    """The loss over the folds so far, oldest first; the last one counts. A hopeless trial need not be asked further.

    churn: mean log loss before calibration. value: minus the mean relative gain, so 0 is the closed form.
    """
    task = (churn_model if stage.model == "churn" else value_model).task(stage.names, stage.labels)
    grown: list[Watched] = []
    for fold in stage.folds:
        grown.append(boosting.watch(task, fold, trees, rolling))
        folds = stage.folds[: len(grown)]
        if stage.model == "churn":
            yield float(boosting.mean_losses(folds, grown).min())
        else:
            chosen = boosting.settle(task, folds, grown, trees, rolling)
            yield -max(shrinkage.choose(value_model.seen(chosen, folds)).gain)


def gain(stage: Stage, loss: float, of_defaults: float) -> float:
    """How much better than the defaults, 0.01 is one percent: of their log loss, or of the closed form's measures."""
    return 1 - loss / of_defaults if stage.model == "churn" else of_defaults - loss
