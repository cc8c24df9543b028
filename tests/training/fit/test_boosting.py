from __future__ import annotations

import numpy as np
import pytest

from tests import small_training
from tiercast.models import btyd, relative
from tiercast.training.fit import boosting, churn_model, stacking
from tiercast.training.fit.boosting import Target
from tiercast.training.windows.snapshots import Snapshot, Snapshots

SETTINGS = small_training.SETTINGS


@pytest.fixture(scope="module")
def target(history: Snapshots) -> Target:
    return churn_model.target((*history.spec.names, *btyd.NAMES), (), SETTINGS)


def test_as_many_trees_are_grown_as_the_settings_say(target: Target, windows: list[Snapshot]) -> None:
    trees = boosting.grow(target, windows, (0.5, 0.7, 1.0), SETTINGS.trees, SETTINGS.rolling)
    assert trees.booster.num_trees() == SETTINGS.trees.rounds == 30
    assert trees.names == relative.tree_names(target.features)


def test_a_window_of_no_weight_teaches_nothing(target: Target, windows: list[Snapshot]) -> None:
    """Its customers still take part in LightGBM's bagging, which is switched off here."""
    told = SETTINGS.trees.model_copy(update={"bagging_fraction": 1.0, "feature_fraction": 1.0, "min_data_in_leaf": 1})
    one, other = windows[0], windows[1]._replace(churned=1 - churn_model.churned(windows[1]))
    grown = [
        boosting.grow(target, [one, late], (1.0, weight), told, SETTINGS.rolling)
        for late, weight in ((windows[1], 0.0), (other, 0.0), (other, 1.0))
    ]
    columns = relative.columns(one.frame, grown[0].names, target.days)
    matrix = np.column_stack([columns[name] for name in grown[0].names])
    ignored, also, taught = (np.asarray(trees.booster.predict(matrix, raw_score=True)) for trees in grown)
    assert ignored == pytest.approx(also)
    assert not np.allclose(ignored, taught)


def test_windows_count_half_for_every_two_horizons(windows: list[Snapshot]) -> None:
    """Windows of 90 days lie 45 days apart: a quarter of the half-life of 180 days."""
    assert stacking.by_age([window.as_of for window in windows], 90) == pytest.approx((0.5**0.5, 0.5**0.25, 1.0))
    n = len(windows[0].features)
    assert boosting.per_customer(windows[:1], (0.25,)).tolist() == [0.25] * n
