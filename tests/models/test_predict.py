from __future__ import annotations

import numpy as np
import pytest

from tiercast.contract.vectors import Vector
from tiercast.models import btyd, predict
from tiercast.models.frame import Frame
from tiercast.tiers import grid
from tiercast.training.train import Trained


@pytest.fixture
def frame(trained: Trained) -> dict[str, Vector]:
    return {name: trained.final.now.frame[name] for name in trained.bundle.spec.names}


def rows(frame: Frame, chosen: object) -> dict[str, Vector]:
    return {name: column[chosen] for name, column in frame.items()}  # type: ignore[call-overload]


def test_every_number_is_in_its_range_and_no_buyer_lacks_one(trained: Trained, frame: Frame) -> None:
    p = predict.predict(trained.bundle, frame)
    assert ((p.p_churn >= 0) & (p.p_churn <= 1)).all()
    assert (p.value >= 0).all()
    assert (p.clv >= 0).all()
    sure = p.certainty
    assert ((sure.value_low >= 0) & (sure.value_low <= sure.value_high)).all()
    assert ((sure.p_high_value >= 0) & (sure.p_high_value <= 1)).all()
    assert ((sure.tier_confidence >= 0) & (sure.tier_confidence <= 1)).all()
    assert set(p.tiers) <= set("ABCDE")


def test_tiers_follow_from_the_numbers_and_the_frozen_cuts(trained: Trained, frame: Frame) -> None:
    p, cuts = predict.predict(trained.bundle, frame), trained.bundle.cuts
    assert cuts.inactive_days is not None
    inactive = frame["silence_days"] >= cuts.inactive_days
    high, loyal = p.value >= cuts.value, p.p_churn <= cuts.p_churn
    expected = np.select([inactive, high & loyal, high, loyal], ["E", "A", "B", "C"], default="D")
    assert (p.tiers == expected).all()


def test_the_closed_form_is_computed_from_the_bundle_and_not_taken_from_the_frame(
    trained: Trained, frame: Frame
) -> None:
    lied = {**frame, btyd.P_CHURN: np.zeros(len(frame["n_orders"]))}
    assert np.array_equal(predict.predict(trained.bundle, lied).p_churn, predict.predict(trained.bundle, frame).p_churn)


def test_a_customers_numbers_do_not_hang_on_who_else_is_scored(trained: Trained, frame: Frame) -> None:
    everyone = predict.predict(trained.bundle, frame)
    chosen = np.random.default_rng(3).permutation(len(everyone.p_churn))[:37]
    some = predict.predict(trained.bundle, rows(frame, chosen))
    assert np.array_equal(some.p_churn, everyone.p_churn[chosen])
    assert np.array_equal(some.value, everyone.value[chosen])
    assert np.array_equal(some.tiers, everyone.tiers[chosen])


def test_prospects_have_a_tier_and_no_numbers(trained: Trained, frame: Frame) -> None:
    nobody = {name: np.full(2, 0.0 if name.startswith("n_o") else np.nan) for name in frame}
    p = predict.predict(trained.bundle, nobody)
    assert p.tiers.tolist() == ["F", "F"]
    for column in (p.p_churn, p.value, p.clv, *p.certainty[:4]):
        assert np.isnan(column).all()
    assert grid.status(p.tiers).tolist() == ["prospect", "prospect"]


def test_nobody_can_be_predicted(trained: Trained, frame: Frame) -> None:
    p = predict.predict(trained.bundle, rows(frame, slice(0)))
    assert len(p.p_churn) == len(p.value) == len(p.tiers) == 0


def test_extreme_customers_stay_finite(trained: Trained, frame: Frame) -> None:
    """A thousand orders in a thousand days, an amount of 10^10, everything at 0."""
    odd = rows(frame, slice(3))
    odd["n_orders"], odd["n_repeat_orders"] = np.array([1001.0, 2.0, 1.0]), np.array([1000.0, 1.0, 0.0])
    odd["recency_days"], odd["age_days"] = np.array([999.0, 1.0, 0.0]), np.array([1000.0, 2.0, 1.0])
    odd["order_value_mean"] = np.array([0.0, 1e10, np.nan])
    p = predict.predict(trained.bundle, odd)
    assert np.isfinite(p.value).all()
    assert np.isfinite(p.p_churn).all()
