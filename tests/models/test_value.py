from __future__ import annotations

import numpy as np
import pytest

from tiercast.models import btyd, value
from tiercast.models.value import ValueModel
from tiercast.training.train import Trained

NOBODY = np.zeros(3)


def test_without_trees_value_is_the_closed_form_at_its_level() -> None:
    frame = {btyd.VALUE: np.array([0.0, 10.0, np.nan])}
    found = value.value(ValueModel(None, level=1.5), frame, NOBODY)
    assert found == pytest.approx([0.0, 15.0, np.nan], nan_ok=True)


def test_nothing_believed_of_the_trees_is_the_closed_form(trained: Trained) -> None:
    frame = trained.final.now.frame
    model = ValueModel(trained.bundle.value.trees, shrink=0.0, level=1.0)
    assert value.value(model, frame, frame[btyd.P_CHURN]) == pytest.approx(frame[btyd.VALUE])


def test_half_belief_is_the_geometric_mean_of_none_and_all(trained: Trained) -> None:
    frame, trees = trained.final.now.frame, trained.bundle.value.trees
    assert trees is not None
    none, half, full = (value.value(ValueModel(trees, s, 1.0), frame, frame[btyd.P_CHURN]) for s in (0.0, 0.5, 1.0))
    assert half == pytest.approx(np.sqrt(none * full))
    assert not np.allclose(none, full)


def test_the_churn_model_moves_value_by_how_much_likelier_an_order_is() -> None:
    """An order has chance 0.4 by the churn model and 0.2 by the closed form: twice the value, or at half belief √2."""
    frame = {btyd.VALUE: np.full(3, 10.0), btyd.P_CHURN: np.full(3, 0.8)}
    p_churn = np.array([0.6, 0.8, 0.9])
    assert value.value(ValueModel(None, by_churn=1.0), frame, p_churn) == pytest.approx([20.0, 10.0, 5.0])
    assert value.value(ValueModel(None, by_churn=0.5), frame, p_churn)[0] == pytest.approx(10 * np.sqrt(2))


def test_a_churn_of_exactly_one_leaves_value_finite() -> None:
    frame = {btyd.VALUE: np.array([0.0, 10.0, 10.0]), btyd.P_CHURN: np.array([1.0, 1.0, 0.0])}
    found = value.value(ValueModel(None, by_churn=1.0), frame, np.array([1.0, 0.5, 1.0]))
    assert np.isfinite(found).all()
    assert found[0] == 0


def test_a_customer_of_no_value_stays_without_and_nothing_overflows() -> None:
    found = value.corrected(np.array([0.0, 1.0, 1.0]), np.array([1e6, 1e6, -1e6]), 1.0)
    assert found[0] == 0
    assert np.isfinite(found).all()
    assert found[2] == pytest.approx(np.exp(-60))
