"""Newton's method on functions whose top is known, and on those that have none."""

from __future__ import annotations

import numpy as np
import pytest

from tiercast.contract.vectors import Vector
from tiercast.training.btyd import optimise


def hill(point: Vector) -> tuple[float, Vector]:
    """Top at (1, -2), where it is 5; curved 4 and 0.02."""
    away = point - np.array([1.0, -2.0])
    curve = np.array([4.0, 0.02])
    return 5.0 - 0.5 * float(curve @ away**2), -curve * away


def ramp(point: Vector) -> tuple[float, Vector]:
    """Climbs for ever towards the first parameter's minus infinity: -exp(t)."""
    return -float(np.exp(point[0])), np.array([-np.exp(point[0])])


def saddle(point: Vector) -> tuple[float, Vector]:
    """Two tops, at x = -1 and x = 1, and a saddle between them: -(x^2 - 1)^2 - y^2."""
    x, y = point
    return -float((x**2 - 1) ** 2 + y**2), np.array([-4 * x * (x**2 - 1), -2 * y])


def test_the_top_of_a_hill_is_found_from_far_away() -> None:
    end = optimise.maximise(hill, np.array([-6.0, 7.0]))
    assert end.is_interior
    assert end.point == pytest.approx([1.0, -2.0], abs=1e-2)
    assert end.value == pytest.approx(5.0, abs=1e-6)


def test_standard_errors_are_the_inverse_of_the_curvature() -> None:
    end = optimise.maximise(hill, np.zeros(2))
    assert optimise.standard_errors(end.hessian, np.array([1.0, 3.0])) == pytest.approx(
        [1 / np.sqrt(4.0), 3 / np.sqrt(0.02)], rel=1e-4
    )


def test_an_endless_ramp_is_not_called_a_maximum() -> None:
    assert not optimise.maximise(ramp, np.zeros(1)).is_interior


def test_a_wide_prior_ends_an_endless_ramp() -> None:
    """By hand: -exp(t) - t^2 / 18 is highest where 9 exp(t) = -t, at t = -1.3437... solved by bisection."""
    low, high = -5.0, 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if 9 * np.exp(middle) + middle < 0 else (low, middle)
    end = optimise.maximise(optimise.with_prior(ramp, np.zeros(1), 3.0), np.zeros(1))
    assert end.is_interior
    assert end.point[0] == pytest.approx(low, abs=1e-3)


def test_a_saddle_is_climbed_away_from() -> None:
    end = optimise.maximise(saddle, np.array([0.1, 0.5]))
    assert end.is_interior
    assert end.point == pytest.approx([1.0, 0.0], abs=1e-3)


def test_the_higher_of_two_tops_wins() -> None:
    def tilted(point: Vector) -> tuple[float, Vector]:
        value, gradient = saddle(point)
        return value + 0.1 * float(point[0]), gradient + np.array([0.1, 0.0])

    end = optimise.best_of(tilted, [np.array([-1.0, 0.0]), np.array([1.0, 0.0])])
    assert end.point[0] > 0.9


def test_a_wrong_hessian_from_a_sample_does_not_mislead() -> None:
    end = optimise.maximise(hill, np.zeros(2), hessian=-np.eye(2) * 100.0)
    assert end.is_interior
    assert end.value == pytest.approx(5.0, abs=1e-6)
