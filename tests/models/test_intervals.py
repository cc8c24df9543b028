from __future__ import annotations

import numpy as np
import pytest

from models import intervals
from models.intervals import Intervals
from tiers.grid import Cuts

CUTS = Cuts(value=100.0, p_churn=0.5)
# Two value bins, below and from 100; columns: loyal, slipping.
MODEL = Intervals(
    edges=np.array([100.0]),
    low=np.array([[0.5, 0.0], [0.8, 0.1]]),
    high=np.array([[1.5, 1.2], [1.4, 1.1]]),
    high_if_kept=np.array([[0.1, 0.2], [0.9, 0.7]]),
    high_if_lost=np.array([[0.0, 0.05], [0.3, 0.2]]),
)


def certainty(value: float, p_churn: float, tier: str) -> list[float]:
    found = intervals.certainty(MODEL, np.array([value]), np.array([p_churn]), np.array([tier]), CUTS)
    return [float(column[0]) for column in found]


@pytest.mark.parametrize(
    ("value", "p_churn", "tier", "expected"),
    [
        # low, high, P(high) = kept * if_kept + lost * if_lost, P(the tier's own cell), straddles 100
        (200.0, 0.2, "A", [160, 280, 0.8 * 0.9 + 0.2 * 0.3, 0.8 * 0.9, 0]),
        (200.0, 0.6, "B", [20, 220, 0.4 * 0.7 + 0.6 * 0.2, 0.6 * 0.2, 1]),
        (80.0, 0.2, "C", [40, 120, 0.8 * 0.1, 0.8 * 0.9, 1]),
        (80.0, 0.6, "D", [0, 96, 0.4 * 0.2 + 0.6 * 0.05, 0.6 * 0.95, 0]),
        (80.0, 0.9, "E", [0, 96, 0.1 * 0.2 + 0.9 * 0.05, 0.9, 0]),
    ],
)
def test_the_five_columns_are_worked_out_by_hand(
    value: float, p_churn: float, tier: str, expected: list[float]
) -> None:
    assert certainty(value, p_churn, tier) == pytest.approx(expected)


def test_the_chances_of_the_four_cells_add_to_one() -> None:
    for value, p in ((200.0, 0.2), (80.0, 0.7)):
        assert sum(certainty(value, p, tier)[3] for tier in "ABCD") == pytest.approx(1.0)


def test_the_cuts_are_half_open_as_in_the_grid() -> None:
    at_cut = intervals.cell(MODEL.low, MODEL.edges, np.array([100.0, 99.9, 100.0]), np.array([0.5, 0.5, 0.51]), 0.5)
    assert at_cut.tolist() == [2, 0, 3]


def test_prospects_have_no_certainty_and_are_not_borderline() -> None:
    low, high, p_high, confidence, borderline = certainty(np.nan, np.nan, "F")
    assert np.isnan([low, high, p_high, confidence]).all()
    assert borderline == 0
