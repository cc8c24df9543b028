from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from tiercast.contract.vectors import Vector
from tiercast.models import btyd, churn
from tiercast.models.calibration import Calibration
from tiercast.models.churn import ChurnModel
from tiercast.models.frame import Frame
from tiercast.models.trees import boosted
from tiercast.training.train import Trained

LINES = [Calibration(), Calibration(0.3, 0.7), Calibration(-1.2, 1.9)]


def summed(model: ChurnModel, frame: Frame, centre: float) -> Vector:
    """The trees' base value and `centre`, calibrated, and the contributions of every single feature."""
    _, base = boosted.contributions(model.trees, frame)
    start = model.calibration.intercept + model.calibration.slope * (centre + base)
    return start + np.sum(list(churn.contributions(model, frame, centre, str).values()), axis=0)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("has_trees", [True, False])
def test_contributions_and_base_sum_to_the_calibrated_log_odds_of_everyone(
    trained: Trained, line: Calibration, has_trees: bool
) -> None:
    frame = trained.final.now.frame
    model = ChurnModel(trained.bundle.churn.trees if has_trees else None, line)
    total = summed(model, frame, trained.bundle.centre)
    assert total == pytest.approx(churn.log_odds(model, frame), abs=1e-9)
    assert churn.p_churn(model, frame) == pytest.approx(expit(total), abs=1e-9)


def test_the_bundles_own_contributions_sum_too(trained: Trained) -> None:
    frame, bundle = trained.final.now.frame, trained.bundle
    assert bundle.churn.trees is not None
    assert bundle.churn.calibration != Calibration()
    total = summed(bundle.churn, frame, bundle.centre)
    assert total == pytest.approx(churn.log_odds(bundle.churn, frame), abs=1e-9)


def test_the_closed_forms_share_averages_zero_at_training(trained: Trained) -> None:
    model = ChurnModel(None, Calibration(0.3, 0.7))
    parts = churn.contributions(model, trained.final.now.frame, trained.bundle.centre, str)
    assert parts[btyd.P_CHURN].mean() == pytest.approx(0, abs=1e-9)


def test_higher_log_odds_are_a_higher_risk(trained: Trained) -> None:
    frame = trained.final.now.frame
    z, p = (f(trained.bundle.churn, frame) for f in (churn.log_odds, churn.p_churn))
    order = np.argsort(z)
    assert (np.diff(p[order]) >= 0).all()
    assert ((p > 0) & (p < 1)).all()


def test_without_trees_and_calibration_it_is_bg_nbd() -> None:
    frame = {btyd.P_CHURN: np.array([0.1, 0.5, 0.9])}
    assert churn.p_churn(ChurnModel(None, Calibration()), frame) == pytest.approx([0.1, 0.5, 0.9])


def test_certainty_of_the_closed_form_stays_finite() -> None:
    frame = {btyd.P_CHURN: np.array([0.0, 1.0, np.nan])}
    low, high, prospect = churn.offset(frame)
    assert (low, high) == (pytest.approx(logit(1e-6)), pytest.approx(-logit(1e-6)))
    assert np.isnan(prospect)
