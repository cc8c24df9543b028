from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from tiercast.models import btyd, churn
from tiercast.models.churn import ChurnModel
from tiercast.models.stack import EQUAL, Stack
from tiercast.training.train import Trained

EACH = str  # every feature is a group of its own


@pytest.mark.parametrize("shift", [0.0, -0.4])
@pytest.mark.parametrize("weights", [EQUAL, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.2, 0.0, 0.8)])
def test_contributions_differ_from_the_log_odds_by_the_same_number_for_everyone(
    trained: Trained, shift: float, weights: tuple[float, float, float]
) -> None:
    frame = trained.final.now.frame
    model = ChurnModel(trained.bundle.churn.stack._replace(weights=weights), shift)
    p, parts = churn.explain(model, frame, trained.bundle.centre, EACH)
    base = churn.log_odds(model, frame) - np.sum(list(parts.values()), axis=0)
    assert base == pytest.approx(np.full(len(base), base[0]), abs=1e-9)
    assert np.array_equal(p, churn.p_churn(model, frame)), "the same bits with and without contributions"


def test_contributions_are_of_features_that_the_table_has(trained: Trained) -> None:
    frame, bundle = trained.final.now.frame, trained.bundle
    assert bundle.churn.stack.trees is not None
    assert bundle.churn.stack.linear is not None
    _, parts = churn.explain(bundle.churn, frame, bundle.centre, EACH)
    assert set(parts) <= {*bundle.spec.names, *btyd.NAMES}


def test_features_without_a_group_are_left_out(trained: Trained) -> None:
    frame, bundle = trained.final.now.frame, trained.bundle
    _, each = churn.explain(bundle.churn, frame, bundle.centre, EACH)
    _, silence = churn.explain(bundle.churn, frame, bundle.centre, lambda name: name if "silence" in name else None)
    assert set(silence) == {name for name in each if "silence" in name}
    for name, part in silence.items():
        assert part == pytest.approx(each[name], abs=1e-9)


def test_the_closed_forms_share_averages_zero_at_training(trained: Trained) -> None:
    model = ChurnModel(Stack(90.0), 0.3)
    _, parts = churn.explain(model, trained.final.now.frame, trained.bundle.centre, EACH)
    assert parts[btyd.P_CHURN].mean() == pytest.approx(0, abs=1e-9)


def test_higher_log_odds_are_a_higher_risk(trained: Trained) -> None:
    frame = trained.final.now.frame
    z, p = (f(trained.bundle.churn, frame) for f in (churn.log_odds, churn.p_churn))
    order = np.argsort(z)
    assert (np.diff(p[order]) >= 0).all()
    assert ((p > 0) & (p < 1)).all()


def test_without_learned_members_it_is_bg_nbd_moved_by_the_season() -> None:
    frame = {btyd.P_CHURN: np.array([0.1, 0.5, 0.9])}
    assert churn.p_churn(ChurnModel(Stack(90.0)), frame) == pytest.approx([0.1, 0.5, 0.9])
    assert churn.p_churn(ChurnModel(Stack(90.0), 1.0), frame)[1] == pytest.approx(expit(1.0))


def test_certainty_of_the_closed_form_stays_finite() -> None:
    low, high, prospect = churn.start({btyd.P_CHURN: np.array([0.0, 1.0, np.nan])})
    assert (low, high) == (pytest.approx(logit(1e-6)), pytest.approx(-logit(1e-6)))
    assert np.isnan(prospect)
