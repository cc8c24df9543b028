"""The risk that a customer places no order inside the horizon.

log-odds = shift + the stack's (closed form, linear model and trees; see `models.stack`). `shift` is the season, where
last year tells it, and 0 elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from tiercast.contract.vectors import Vector
from tiercast.models import btyd, calibration, stack
from tiercast.models.frame import Frame
from tiercast.models.stack import Stack


class ChurnModel(NamedTuple):
    stack: Stack
    shift: float = 0.0


def start(frame: Frame) -> Vector:
    """The order model's log-odds of no order in the horizon, kept away from infinity at +-13.8."""
    return calibration.log_odds(frame[btyd.P_CHURN])


def log_odds(model: ChurnModel, frame: Frame) -> Vector:
    """Log-odds of churn."""
    return model.shift + stack.link(model.stack, frame, start(frame))


def p_churn(model: ChurnModel, frame: Frame) -> Vector:
    """P(no order in the horizon), in [0, 1]."""
    return np.asarray(expit(log_odds(model, frame)))


def explain(
    model: ChurnModel, frame: Frame, line: Mapping[str, float], group_of: Callable[[str], str | None]
) -> tuple[Vector, dict[str, Vector]]:
    """`p_churn`, and what each group of features adds to its log-odds, compared with the customer at the cut.

    `line` has that customer's contribution per feature (`tiercast.training.fit.at_the_cuts`). With a group for every
    feature, the parts of a customer add up to their log-odds less those of the cut. What is not known counts as 0
    before the comparison, and features without a group are left out.
    """
    link, parts = stack.explain(model.stack, frame, start(frame), group_of, btyd.P_CHURN)
    levels = dict[str, float]()
    for feature, level in line.items():
        if group := group_of(feature):
            levels[group] = levels.get(group, 0.0) + level
    nothing = np.zeros(len(link))
    parts |= {group: parts.get(group, nothing) - level for group, level in levels.items()}
    return np.asarray(expit(model.shift + link)), parts
