from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiercast.models import factors, predict
from tiercast.training.train import Trained

CHANCE = st.floats(0.001, 0.999)


@given(CHANCE, st.floats(0, 1e5), st.floats(0.01, 1e4))
def test_the_factors_multiply_back_to_value(p_order: float, value: float, order_value: float) -> None:
    made_of = factors.split(*(np.array([number]) for number in (p_order, value, order_value)))
    assert float(np.prod(made_of)) == pytest.approx(value)
    assert made_of.orders_if_any[0] >= 1


@given(CHANCE, CHANCE)
def test_with_equal_horizons_an_order_is_as_likely_as_the_churn_model_says(kept: float, closed: float) -> None:
    one = [np.array([number]) for number in (kept, closed, closed)]
    assert factors.carry(*one)[0] == pytest.approx(kept, abs=1e-6)


@given(CHANCE, CHANCE, CHANCE)
def test_a_longer_window_never_makes_an_order_less_likely(kept: float, first: float, second: float) -> None:
    closed_kept, closed_order = sorted((first, second))
    one = [np.array([number]) for number in (kept, closed_kept, closed_order)]
    assert factors.carry(*one)[0] >= kept - 1e-6


def test_every_scored_customer_has_factors_that_multiply_back(trained: Trained) -> None:
    scored = predict.predict(trained.bundle, trained.final.now.frame)
    assert np.prod(np.array(scored.factors), axis=0) == pytest.approx(scored.value)
    assert ((scored.factors.p_order > 0) & (scored.factors.p_order < 1)).all()
