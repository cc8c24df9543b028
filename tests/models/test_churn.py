from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from tiercast.models import btyd, churn
from tiercast.models.churn import ChurnModel
from tiercast.models.stack import EQUAL, Stack
from tiercast.tiers import families
from tiercast.training.fit import at_the_cuts
from tiercast.training.train import Trained

EACH = str  # every feature is a group of its own


@pytest.mark.parametrize("shift", [0.0, -0.4])
@pytest.mark.parametrize("weights", [EQUAL, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.2, 0.0, 0.8)])
@pytest.mark.parametrize("cut", [0.5, 0.9])
def test_contributions_add_up_to_the_distance_from_the_cut(
    trained: Trained, shift: float, weights: tuple[float, float, float], cut: float
) -> None:
    frame = trained.final.now.frame
    model = ChurnModel(trained.bundle.churn.stack._replace(weights=weights), shift)
    p, parts = churn.explain(model, frame, at_the_cuts.churn_line(model, frame, cut), EACH)
    assert sum(parts.values()) == pytest.approx(churn.log_odds(model, frame) - logit(cut), abs=1e-9)
    assert np.array_equal(p, churn.p_churn(model, frame)), "the same bits with and without contributions"


def test_a_bundles_contributions_by_family_add_up_to_the_distance_from_its_cut(trained: Trained) -> None:
    frame, bundle = trained.final.now.frame, trained.bundle
    _, parts = churn.explain(bundle.churn, frame, bundle.line, families.family_of)
    distance = churn.log_odds(bundle.churn, frame) - logit(bundle.cuts.p_churn)
    assert sum(parts.values()) == pytest.approx(distance, abs=1e-9)


@pytest.mark.parametrize("size", [1, 7])
def test_a_customers_contributions_do_not_depend_on_who_else_is_scored(trained: Trained, size: int) -> None:
    frame, bundle = trained.final.now.frame, trained.bundle
    few = {name: column[:size] for name, column in frame.items()}
    _, of_few = churn.explain(bundle.churn, few, bundle.line, families.family_of)
    _, of_all = churn.explain(bundle.churn, frame, bundle.line, families.family_of)
    for name, part in of_few.items():
        assert np.array_equal(part, of_all[name][:size])


def test_contributions_are_of_features_that_the_table_has(trained: Trained) -> None:
    frame, bundle = trained.final.now.frame, trained.bundle
    assert bundle.churn.stack.trees is not None
    assert bundle.churn.stack.linear is not None
    _, parts = churn.explain(bundle.churn, frame, bundle.line, EACH)
    assert set(parts) <= {*bundle.spec.names, *btyd.NAMES}


def test_features_without_a_group_are_left_out(trained: Trained) -> None:
    frame, bundle = trained.final.now.frame, trained.bundle
    _, each = churn.explain(bundle.churn, frame, bundle.line, EACH)
    _, silence = churn.explain(bundle.churn, frame, bundle.line, lambda name: name if "silence" in name else None)
    assert set(silence) == {name for name in each if "silence" in name}
    for name, part in silence.items():
        assert part == pytest.approx(each[name], abs=1e-9)


def test_the_closed_forms_share_is_its_distance_from_the_cut(trained: Trained) -> None:
    frame, model = trained.final.now.frame, ChurnModel(Stack(90.0), 0.3)
    _, parts = churn.explain(model, frame, at_the_cuts.churn_line(model, frame, 0.6), EACH)
    assert parts[btyd.P_CHURN] == pytest.approx(churn.start(frame) + 0.3 - logit(0.6), abs=1e-9)


def test_the_typical_customer_at_the_cut_is_like_those_near_it(trained: Trained) -> None:
    """Customers within a twentieth of the cut have contributions about 0, of every family, on average."""
    frame, bundle = trained.final.now.frame, trained.bundle
    p, parts = churn.explain(bundle.churn, frame, bundle.line, families.family_of)
    near = np.abs(p - bundle.cuts.p_churn) < 0.05
    assert near.sum() > 20
    assert max(abs(part[near].mean()) for part in parts.values()) < 0.1


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
