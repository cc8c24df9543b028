"""The risk that a customer places no order inside the horizon.

log-odds = intercept + slope * (closed form's log-odds + trees). Intercept and slope are Platt's (1999) calibration,
fitted on a later window than the trees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from tiercast.contract.vectors import Vector
from tiercast.models import btyd, calibration
from tiercast.models.calibration import Calibration
from tiercast.models.frame import Frame
from tiercast.models.trees import boosted
from tiercast.models.trees.boosted import BoostedTrees


class ChurnModel(NamedTuple):
    trees: BoostedTrees | None
    calibration: Calibration


def offset(frame: Frame) -> Vector:
    """The order model's log-odds of no order in the horizon, bounded at ±13.8."""
    return calibration.log_odds(frame[btyd.P_CHURN])


def uncalibrated(trees: BoostedTrees | None, frame: Frame) -> Vector:
    """The log-odds before calibration."""
    return boosted.raw_score(trees, frame, offset(frame))


def log_odds(model: ChurnModel, frame: Frame) -> Vector:
    """Calibrated log-odds of churn."""
    intercept, slope = model.calibration
    return intercept + slope * uncalibrated(model.trees, frame)


def p_churn(model: ChurnModel, frame: Frame) -> Vector:
    """Calibrated P(no order in the horizon), in [0, 1]."""
    return np.asarray(expit(log_odds(model, frame)))


def explain(
    model: ChurnModel, frame: Frame, centre: float, group_of: Callable[[str], str | None]
) -> tuple[Vector, dict[str, Vector]]:
    """`p_churn` and `contributions`, in less time than one after the other."""
    intercept, slope = model.calibration
    start = offset(frame)
    raw, parts = boosted.explain(model.trees, frame, start, _groups(model, group_of))
    return np.asarray(expit(intercept + slope * raw)), _with_closed_form(model, parts, start - centre, group_of)


def contributions(
    model: ChurnModel, frame: Frame, centre: float, group_of: Callable[[str], str | None]
) -> dict[str, Vector]:
    """What each group of features adds to the calibrated log-odds. Features without a group are left out.

    Unknown numbers contribute 0. The closed form's offset is a contribution too, measured from `centre`, its mean over
    the training customers.
    """
    parts, _ = boosted.contributions(model.trees, frame, _groups(model, group_of))
    return _with_closed_form(model, parts, offset(frame) - centre, group_of)


def _groups(model: ChurnModel, group_of: Callable[[str], str | None]) -> tuple[str, ...]:
    return tuple(group_of(name) or "" for name in model.trees.names) if model.trees is not None else ()


def _with_closed_form(
    model: ChurnModel, parts: dict[str, Vector], closed_form: Vector, group_of: Callable[[str], str | None]
) -> dict[str, Vector]:
    slope = model.calibration.slope
    summed = {group: slope * part for group, part in parts.items()}
    group = group_of(btyd.P_CHURN) or ""
    summed[group] = np.nan_to_num(slope * closed_form) + summed.get(group, 0.0)
    return {group: part for group, part in summed.items() if group}
