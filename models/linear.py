"""A generalised linear model that starts from the closed form: link = start + intercept + terms.

The terms are standardised columns, the start itself among them under `START`. Fitting shrinks all coefficients towards
0 (`tiercast.training.fit.glm`), so with few customers the model is the closed form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.models import relative
from tiercast.models.frame import Frame

START = "start"


class LinearModel(NamedTuple):
    """One mean, scale and coefficient per name; the first name is `START`."""

    names: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float


def link(model: LinearModel, start: Vector, parts: Mapping[str, Vector]) -> Vector:
    """Log-odds or log-money, on the scale of `start`, from the model's `terms`."""
    found = start + model.intercept
    for part in parts.values():
        found = found + part
    return np.asarray(found)


def terms(model: LinearModel, frame: Frame, start: Vector, days: float) -> dict[str, Vector]:
    """What each column adds to start and intercept; 0 on average over the customers that were learned from.

    A column that is not known of a customer, such as the mean value of orders without one, adds 0.
    """
    given = {START: start, **relative.columns(frame, model.names[1:], days)}
    parts = zip(model.names, model.means, model.scales, model.coefficients, strict=True)
    return {name: np.nan_to_num(coefficient / scale * (given[name] - mean)) for name, mean, scale, coefficient in parts}
