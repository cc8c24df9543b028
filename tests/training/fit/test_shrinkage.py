from __future__ import annotations

import numpy as np
import pytest

from tiercast.training.fit import shrinkage
from tiercast.training.fit.shrinkage import Seen


def seen(closed: list[float], truth_over_closed: list[float], correction_share: float) -> Seen:
    """Trees that say `correction_share` of the true log-correction."""
    closed_form, ratio = np.array(closed), np.array(truth_over_closed)
    return Seen(closed_form, correction_share * np.log(ratio), closed_form * ratio)


CLOSED = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
RATIO = [9.0, 1.0, 4.0, 0.5, 3.0, 0.2]


def test_trees_that_are_right_are_believed_wholly() -> None:
    found = shrinkage.choose([seen(CLOSED, RATIO, 1.0)])
    assert found.shrink == 1.0
    assert found.gain[0] == 0.0
    assert list(found.gain) == sorted(found.gain)


def test_trees_that_say_twice_too_much_are_believed_by_half() -> None:
    assert shrinkage.choose([seen(CLOSED, RATIO, 2.0)]).shrink == 0.5


def test_trees_that_are_wrong_are_not_believed() -> None:
    assert shrinkage.choose([seen(CLOSED, RATIO, -1.0)]).shrink == 0.0


def test_the_gain_is_worked_out_by_hand() -> None:
    """Full belief is the truth: Gini and error gain all there is: (1 - g) / g + 1, g the closed form's own Gini."""
    from tiercast.training.evaluation import outcomes, ranking

    window = seen(CLOSED, RATIO, 1.0)
    g = ranking.ngini(outcomes.pair(window.closed_form, window.actual))
    assert shrinkage.choose([window]).gain[-1] == pytest.approx((1 - g) / abs(g) + 1)


def test_the_level_does_not_enter() -> None:
    """Ten times the closed form, the same correction: the same choice and the same gains."""
    window = seen(CLOSED, RATIO, 0.6)
    larger = window._replace(closed_form=10 * window.closed_form)
    assert shrinkage.choose([larger]).gain == pytest.approx(shrinkage.choose([window]).gain)


def test_several_windows_count_alike() -> None:
    right, wrong = seen(CLOSED, RATIO, 1.0), seen(CLOSED, RATIO, -1.0)
    both = shrinkage.choose([right, wrong])
    means = np.mean([shrinkage.choose([one]).gain for one in (right, wrong)], axis=0)
    assert both.gain == pytest.approx(means)
