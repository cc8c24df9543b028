"""Newton's method for a handful of parameters, with a proof of arrival.

The objective gives its value and analytic gradient. Differences of that gradient give the Hessian, whose
eigenvalues say what a quasi-Newton method hides: whether this is a maximum, and how well it is determined.

Arrival is judged by the Newton decrement, half of g' H^-1 g: the log-likelihood that one more step would
gain. Unlike the length of the gradient it does not depend on units or on the number of customers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector

Objective = Callable[[Vector], tuple[float, Vector]]

MAX_STEPS = 200
ARRIVED = 1e-9  # log-likelihood that one more step would gain
DIFFERENCE = 1e-5  # in log-parameters
LONGEST_STEP = 1.0
FAR_AWAY = 12.0  # e ** 12: parameters this far from the data's scale are on their way to 0 or infinity
NOT_TOO_FAR = 8.0


class Optimum(NamedTuple):
    point: Vector
    value: float
    hessian: NDArray[np.float64]
    is_interior: bool


def maximise(objective: Objective, start: Vector, hessian: NDArray[np.float64] | None = None) -> Optimum:
    """Climb from `start`; `is_interior` is True only at a proper maximum away from 0 and infinity.

    A Hessian serves as long as every step gains ten times less than the one before, and is worked out
    anew before arrival is believed. One from a sample of the data may be passed in.
    """
    point, (value, gradient) = np.asarray(start, dtype=np.float64), objective(start)
    is_fresh, last_gain = False, np.inf
    for _ in range(MAX_STEPS):
        if hessian is not None:
            step, gain = _newton_step(gradient, hessian)
        if hessian is None or (not is_fresh and (gain < ARRIVED or gain > 0.1 * last_gain)):
            hessian, is_fresh = differentiate(objective, point, gradient), True
            step, gain = _newton_step(gradient, hessian)
        if gain < ARRIVED:
            return Optimum(point, value, hessian, _is_maximum(point, hessian))
        moved = _walk(objective, point, value, gradient, step)
        if moved is None or np.abs(moved[0]).max() > FAR_AWAY:
            return Optimum(point if moved is None else moved[0], value, hessian, False)
        (point, value, gradient), is_fresh, last_gain = moved, False, gain
    return Optimum(point, value, np.asarray(hessian), False)


def best_of(objective: Objective, starts: Iterable[Vector]) -> Optimum:
    """The highest of several climbs; a proper maximum wins over an equally high drift."""
    return max((maximise(objective, start) for start in starts), key=lambda end: (round(end.value, 6), end.is_interior))


def climb_by_stages(objectives: Iterable[Objective], starts: Iterable[Vector]) -> Optimum:
    """All starts on the first objective, a small sample; the best end, refined on ever larger ones."""
    first, *rest = objectives
    end = best_of(first, starts)
    for objective in rest:
        end = maximise(objective, np.clip(end.point, -NOT_TOO_FAR, NOT_TOO_FAR), end.hessian)
    return end


def differentiate(objective: Objective, point: Vector, gradient: Vector) -> NDArray[np.float64]:
    """The Hessian, by forward differences of the analytic gradient."""
    rows = [(objective(point + shift)[1] - gradient) / DIFFERENCE for shift in DIFFERENCE * np.eye(len(point))]
    hessian = np.array(rows)
    return np.asarray((hessian + hessian.T) / 2.0, dtype=np.float64)


def standard_errors(hessian: NDArray[np.float64], derivative: Vector) -> Vector:
    """Delta method: the error of f(theta) is |f'| times that of theta, from the inverse of -Hessian."""
    variance = np.diag(np.linalg.inv(-hessian))
    return np.asarray(derivative * np.sqrt(variance), dtype=np.float64)


def with_prior(objective: Objective, centre: Vector, spread: float) -> Objective:
    """The objective plus a normal prior, so wide that it decides only what the data leave open."""

    def penalised(point: Vector) -> tuple[float, Vector]:
        value, gradient = objective(point)
        away = (point - centre) / spread
        return value - 0.5 * float(away @ away), gradient - away / spread

    return penalised


def _newton_step(gradient: Vector, hessian: NDArray[np.float64]) -> tuple[Vector, float]:
    """The step uphill, and the gain it promises. Eigenvalues of the wrong sign are turned around."""
    values, vectors = np.linalg.eigh(-hessian)
    curvature = np.maximum(np.abs(values), 1e-10 * max(1.0, float(np.abs(values).max())))
    along = vectors.T @ gradient
    step = vectors @ (along / curvature)
    length = float(np.abs(step).max())
    return step * min(1.0, LONGEST_STEP / max(length, 1e-300)), 0.5 * float(along @ (along / curvature))


def _walk(
    objective: Objective, point: Vector, value: float, gradient: Vector, step: Vector
) -> tuple[Vector, float, Vector] | None:
    """The first of ever shorter steps that climbs enough; None where rounding hides any climb."""
    slope = float(gradient @ step)
    for _ in range(40):
        new_value, new_gradient = objective(point + step)
        if np.isfinite(new_value) and new_value >= value + 1e-4 * slope - 1e-13 * abs(value):
            return point + step, new_value, new_gradient
        step, slope = step / 2.0, slope / 2.0
    return None


def _is_maximum(point: Vector, hessian: NDArray[np.float64]) -> bool:
    """Away from the edges, curved downwards in every direction, and by more than rounding makes."""
    lowest = float(np.linalg.eigvalsh(-hessian).min())
    return bool(np.abs(point).max() < FAR_AWAY and lowest > 1e-3)
