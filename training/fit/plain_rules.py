"""A plain rule as a model, for a bundle whose holdout the rule forecast better than the stack.

The rule's column orders the customers; intercept and slope, fitted on earlier windows, make it a probability or money.
It is a linear model that leaves the closed form out, so scoring and reasons need nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tiercast.models import calibration, relative
from tiercast.models import frame as frames
from tiercast.models.linear import START, LinearModel
from tiercast.models.stack import Stack
from tiercast.training.fit import boosting, glm
from tiercast.training.fit.boosting import Objective, Target
from tiercast.training.windows.snapshots import Snapshot

CLOSED_FORM = "btyd"
WITHOUT_CLOSED_FORM = -1.0  # as the coefficient of the closed form's own link, it takes that link out
COLUMNS: Mapping[Objective, Mapping[str, str]] = {
    "binary": {"recency": "silence_days|horizon", "halved_window_rule": "silence_days|horizon"},
    "tweedie": {
        "recency": "silence_days|horizon",
        "naive_rate": "order_value_mean|rate",
        "average_spend": "spend_total|rate",
    },
}


def fit(target: Target, snapshots: Sequence[Snapshot], ages: tuple[float, ...], rule: str) -> Stack:
    """The rule, fitted on all given windows; `btyd` is the closed form as it is. Raises FitFailed."""
    days = float(target.days)
    if rule == CLOSED_FORM:
        return Stack(days)
    names = columns(target, rule)
    outcome = np.concatenate([target.outcome(snapshot) for snapshot in snapshots])
    given = [relative.columns(snapshot.frame, names, days) for snapshot in snapshots]
    matrix = np.concatenate([frames.matrix(each, names) for each in given]) if names else np.empty((len(outcome), 0))
    weight = boosting.per_customer(snapshots, ages)
    mean = np.average(outcome, weights=weight)
    centre = float(calibration.log_odds(np.array([mean]))[0] if target.objective == "binary" else np.log(mean))
    scaled = glm.standardise(matrix, weight)
    start = np.full(len(outcome), centre)
    point = glm.maximise(glm.observe(target.objective, start, scaled.columns, outcome, weight), target.objective)
    intercept, *slopes = (float(number) for number in point)
    means, scales = (0.0, *scaled.means.tolist()), (1.0, *scaled.scales.tolist())
    line = LinearModel((START, *names), means, scales, (WITHOUT_CLOSED_FORM, *slopes), centre + intercept)
    return Stack(days, line, None, (0.0, 1.0, 0.0))


def columns(target: Target, rule: str) -> tuple[str, ...]:
    """The column that orders customers as the rule does; none where the rule takes all for the same."""
    if rule == "last_window_spend":
        return relative.nearest_window(target.features, "spend_", target.days)
    name = COLUMNS[target.objective].get(rule)
    return (name,) if name else ()


def describe(rule: str) -> str:
    """For the run's notes.

    >>> describe("recency")
    'By recency alone, which forecast the holdout better than the stack.'
    """
    return f"By {rule} alone, which forecast the holdout better than the stack."
