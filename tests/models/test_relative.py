"""No column that the models read is a number of days."""

from __future__ import annotations

import numpy as np
import pytest

from tiercast.features.spec import FeatureSpec
from tiercast.models import btyd, relative

SPEC = FeatureSpec(
    windows=(30, 60, 90),
    season_days=90,
    columns=("product_id", "category", "quantity"),
    has_joined_on=True,
    contact_kinds=("visit",),
    contact_columns=("score",),
)
FEATURES = (*SPEC.names, *btyd.NAMES)


def test_a_cohort_twice_as_old_with_a_horizon_twice_as_long_reads_the_same() -> None:
    """Every length of time doubled, the horizon too: what is relative stays."""
    rng = np.random.default_rng(1)
    frame = {name: rng.random(5) + 1.0 for name in FEATURES}
    frame["btyd_p_churn"] = frame["btyd_p_alive"] = np.full(5, 0.4)
    older = {name: 2 * column if name.endswith("_days") else column for name, column in frame.items()}
    for names in (relative.tree_names(FEATURES), relative.linear_names(FEATURES, 90)):
        before, after = relative.columns(frame, names, 90.0), relative.columns(older, names, 180.0)
        for name in names:
            assert after[name] == pytest.approx(before[name]), name


def test_every_feature_of_money_counts_and_shares_reaches_the_trees() -> None:
    read = {relative.source(name) for name in relative.tree_names(FEATURES)}
    unread = set(FEATURES) - read
    assert unread == {
        "n_repeat_orders", "recency_days", "age_days", "repeat_order_value", "gap_longest_days",
        "orders_trend_30d", "btyd_value",
    } - read  # fmt: skip


def test_the_linear_model_reads_the_window_nearest_to_the_horizon() -> None:
    assert relative.linear_names(FEATURES, 100)[-1] == "n_orders_90d|log"
    assert relative.linear_names(FEATURES, 20)[-1] == "n_orders_30d|log"


def test_a_one_time_buyer_has_no_gaps_and_a_finite_linear_model() -> None:
    frame = {name: np.array([0.0]) for name in FEATURES}
    frame |= {"n_orders": np.array([1.0]), "age_days": np.array([1.0]), "silence_days": np.array([1.0])}
    frame |= {name: np.array([np.nan]) for name in FEATURES if name.startswith("gap_")}
    frame["silence_over_gap"] = np.array([np.nan])
    trees = relative.columns(frame, relative.tree_names(FEATURES), 90.0)
    assert np.isnan(trees["gap_mean_days|horizon"][0])
    line = relative.columns(frame, relative.linear_names(FEATURES, 90), 90.0)
    assert all(np.isfinite(column).all() for column in line.values())
