from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.models import intervals
from tiercast.models.calibration import Calibration
from tiercast.models.intervals import Intervals, ValueDistribution
from tiercast.tiers.grid import Cuts

CUTS = Cuts(value=100.0, p_churn=0.5, value_band=0.05, p_churn_band=0.05)
UNIFORM = 2 * intervals.LEVELS  # realised ÷ expected is spread evenly between 0 and 2
MODEL = Intervals(
    brings=Calibration(),
    edges=np.array([1000.0]),
    ratios=np.array([UNIFORM, 0.5 + intervals.LEVELS]),  # from 1000 on: evenly between 0.5 and 1.5
    high=Calibration(),
    kept_if_high=None,
)


def certainty(value: float, p_churn: float, tier: str, model: Intervals = MODEL) -> list[float]:
    money, risk = np.array([value]), np.array([p_churn])
    found = intervals.certainty(model, money, risk, 1 - risk, np.array([tier]), CUTS)
    return [float(column[0]) for column in found]


@pytest.mark.parametrize(
    ("value", "p_churn", "tier", "expected"),
    [
        # mu = value ÷ (1 - p_churn); an outcome is 0 with p_churn, else evenly between 0 and 2 mu
        # mu = 200: P(<= y) = 0.2 + 0.8 × y ÷ 400 = 0.9 at 350; P(>= 100) = 0.8 × 300 ÷ 400
        (160.0, 0.2, "A", [0, 350, 0.6, 0.6, 0]),
        # mu = 300: 0.6 + 0.4 × y ÷ 600 = 0.9 at 450; P(>= 100) = 0.4 × 500 ÷ 600
        (120.0, 0.6, "B", [0, 450, 1 / 3, 0.6, 0]),
        # mu = 75: 0.2 + 0.8 × y ÷ 150 = 0.9 at 131.25; P(>= 100) = 0.8 × 50 ÷ 150, so C's cell is 0.8 less that
        (60.0, 0.2, "C", [0, 131.25, 0.8 / 3, 0.8 - 0.8 / 3, 0]),
        # mu = 25: 0.6 + 0.4 × y ÷ 50 = 0.9 at 37.5; 100 is out of reach (Platt's log-odds stop at -13.8)
        (10.0, 0.6, "D", [0, 37.5, 0, 0.6, 0]),
        # at least 90 % bring nothing
        (10.0, 0.9, "E", [0, 0, 0.1 * 100 / 200, 0.9, 0]),
        # the value is within 5 % of the cut of 100; then the risk is within 0.05 of 0.5
        (96.0, 0.2, "C", [0, 210, 0.8 * 140 / 240, 0.8 - 0.8 * 140 / 240, 1]),
        (150.0, 0.54, "B", [0, None, None, 0.54, 1]),
        # hardly anybody brings nothing: the central 80 % of mu = 2000 × (0.5 to 1.5) without 1 % of zeros
        (1980.0, 0.01, "A", [2000 * (0.5 + 0.09 / 0.99), 2000 * (0.5 + 0.89 / 0.99), 0.99, 0.99, 0]),
    ],
)
def test_the_five_columns_are_worked_out_by_hand(
    value: float, p_churn: float, tier: str, expected: list[float | None]
) -> None:
    found = certainty(value, p_churn, tier)
    asked = [(one, other) for one, other in zip(found, expected, strict=True) if other is not None]
    assert [one for one, _ in asked] == pytest.approx([other for _, other in asked], abs=2e-5)


def test_loyal_and_high_or_low_and_silent_are_all_that_can_happen() -> None:
    for value, p in ((160.0, 0.2), (10.0, 0.7), (1980.0, 0.01)):
        assert sum(certainty(value, p, tier)[3] for tier in "ACD") == pytest.approx(1.0)
        assert certainty(value, p, "B")[3] == certainty(value, p, "D")[3] == p


def test_who_comes_back_after_the_churn_horizon_can_reach_the_cut_without_bearing_a_out() -> None:
    half_kept = MODEL._replace(kept_if_high=Calibration(intercept=0.0, slope=0.0))
    assert certainty(160.0, 0.2, "A", half_kept)[3] == pytest.approx(0.3)


def test_prospects_have_no_certainty_and_are_not_borderline() -> None:
    low, high, p_high, confidence, borderline = certainty(np.nan, np.nan, "F")
    assert np.isnan([low, high, p_high, confidence]).all()
    assert borderline == 0


@given(st.floats(0, 0.99), st.floats(0.1, 5000), st.floats(0.001, 0.999))
def test_a_quantile_is_where_its_share_lies_below(p_nothing: float, if_any: float, level: float) -> None:
    one = ValueDistribution(np.array([p_nothing]), np.array([if_any]), np.array([0]))
    money = intervals.quantile(MODEL, one, level)
    assert intervals.share_below(MODEL, one, money)[0] == pytest.approx(max(level, p_nothing), abs=1e-9)
