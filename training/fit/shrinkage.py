"""How much of the trees' correction to believe: chosen where neither ranking nor error gets worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.models import value
from tiercast.training.evaluation import level, outcomes, ranking

STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


class Seen(NamedTuple):
    """One later window: the closed form, the trees' log-correction, and what was realised."""

    closed_form: Vector
    correction: Vector
    actual: Vector


class Shrinkage(NamedTuple):
    """`gain[i]` is the mean relative gain of STEPS[i] over the closed form: in Gini plus in MAE."""

    shrink: float
    gain: tuple[float, ...]


def choose(windows: Sequence[Seen]) -> Shrinkage:
    """The step with the largest gain over all windows.

    The error is compared at the actual total: how high the total should be is another question.
    """
    gain = [float(np.mean([_gain(window, step) for window in windows])) for step in STEPS]
    return Shrinkage(STEPS[int(np.argmax(gain))], tuple(gain))


def _gain(window: Seen, step: float) -> float:
    gini, error = _measures(window, step)
    gini_closed, error_closed = _measures(window, 0.0)
    return (gini - gini_closed) / abs(gini_closed) + (error_closed - error) / error_closed


def _measures(window: Seen, step: float) -> tuple[float, float]:
    forecast = value.corrected(window.closed_form, window.correction, step)
    pairs = outcomes.pair(forecast * (window.actual.sum() / forecast.sum()), window.actual)
    return ranking.ngini(pairs), level.mae(pairs)
