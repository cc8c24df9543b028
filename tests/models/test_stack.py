"""Three members on the scale of the link, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tiercast.models import linear, stack
from tiercast.models.linear import START, LinearModel
from tiercast.models.stack import Stack
from tiercast.training.train import Trained

FRAME = {"silence_days": np.array([0.0, 90.0]), "n_orders": np.array([1.0, 4.0])}
LINE = LinearModel((START, "silence_days|horizon"), (0.5, 0.0), (2.0, 1.0), (1.0, 3.0), 0.25)
ONE = np.array([1.5, -0.5])


def test_the_linear_model_starts_from_the_closed_form() -> None:
    """start + 0.25 + (start - 0.5) / 2 + 3 log(1 + silence / 90)."""
    found = linear.link(LINE, ONE, linear.terms(LINE, FRAME, ONE, 90.0))
    assert found == pytest.approx([1.5 + 0.25 + 0.5, -0.5 + 0.25 - 0.5 + 3 * np.log(2)])


def test_a_link_is_the_weighted_mean_of_its_members(trained: Trained) -> None:
    model, frame = trained.bundle.churn.stack, trained.final.now.frame
    start = np.log(frame["n_orders"])
    links = stack.members(model, frame, start)
    assert stack.link(model, frame, start) == pytest.approx(links @ np.array(model.weights))
    assert np.array_equal(links[:, 0], start)


def test_a_member_that_was_not_learned_cannot_be_weighed() -> None:
    with pytest.raises(ValueError, match="nothing to weigh"):
        stack.members(Stack(90.0, LINE), FRAME, ONE)


def test_a_stack_of_the_closed_form_alone_is_the_closed_form() -> None:
    assert stack.link(Stack(90.0), FRAME, ONE).tolist() == ONE.tolist()
