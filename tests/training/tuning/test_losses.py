"""How a loss becomes a gain over the defaults."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tiercast.training.tuning import losses
from tiercast.training.tuning.stage import Stage


def stage_of(model: str) -> Stage:
    nothing: Any = ()
    return Stage(cast("Any", model), (), (), nothing, nothing, 90, (), ())


def test_a_gain_counts_from_the_defaults() -> None:
    assert losses.gain(stage_of("churn"), 0.45, 0.5) == pytest.approx(0.1)  # a tenth of the log loss is gone
    assert losses.gain(stage_of("value"), -0.07, -0.05) == pytest.approx(0.02)  # 7 % over it instead of 5 %
