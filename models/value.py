"""Expected money in the value horizon: a stack of closed form, linear model and trees, at a level that held.

log value = log(level) + the stack's (see `models.stack`)

Ranking customers and getting the total right are two problems. The stack ranks; the level is set by whichever view was
right about totals on earlier windows, as one constant frozen in the bundle.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tiercast.contract import vectors
from tiercast.contract.vectors import Vector
from tiercast.models import btyd, stack
from tiercast.models.frame import Frame
from tiercast.models.stack import Stack

SMALLEST = 1e-6
LARGEST_LOG = 60.0


class ValueModel(NamedTuple):
    stack: Stack
    level: float = 1.0


def start(frame: Frame) -> Vector:
    """The log of the closed form's money, kept finite where it is 0."""
    return np.log(np.maximum(frame[btyd.VALUE], SMALLEST))


def value(model: ValueModel, frame: Frame) -> Vector:
    """Expected money in the value horizon, >= 0; NaN for prospects."""
    link = stack.link(model.stack, frame, start(frame))
    return np.asarray(model.level * np.exp(vectors.bounded(link, -LARGEST_LOG, LARGEST_LOG)))
