from __future__ import annotations

import numpy as np
import pytest

from tiercast.models import btyd, stack, value
from tiercast.models.stack import Stack
from tiercast.models.value import ValueModel
from tiercast.training.train import Trained


def test_without_learned_members_value_is_the_closed_form_at_its_level() -> None:
    frame = {btyd.VALUE: np.array([10.0, 20.0, np.nan])}
    found = value.value(ValueModel(Stack(90.0), level=1.5), frame)
    assert found == pytest.approx([15.0, 30.0, np.nan], nan_ok=True)


def test_equal_weights_are_the_geometric_mean_of_the_members(trained: Trained) -> None:
    frame, learned = trained.final.now.frame, trained.bundle.value.stack
    alone = [
        value.value(ValueModel(learned._replace(weights=weights)), frame)
        for weights in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    ]
    together = value.value(ValueModel(learned._replace(weights=stack.EQUAL)), frame)
    assert together == pytest.approx(np.cbrt(np.prod(alone, axis=0)))
    assert alone[0] == pytest.approx(frame[btyd.VALUE])
    assert not np.allclose(alone[1], alone[2])


def test_a_customer_of_no_value_stays_near_nothing_and_nothing_overflows() -> None:
    frame = {btyd.VALUE: np.array([0.0, 1e300])}
    found = value.value(ValueModel(Stack(90.0)), frame)
    assert found[0] <= value.SMALLEST * (1 + 1e-12)
    assert np.isfinite(found).all()
