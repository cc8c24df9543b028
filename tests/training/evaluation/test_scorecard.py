from __future__ import annotations

import time

import numpy as np
import pytest

from tiercast.training.evaluation import scorecard

CDNOW_CUSTOMERS = 23_570


def test_the_churn_card_has_every_metric_of_the_protocol() -> None:
    card = scorecard.churn_card(np.linspace(0, 1, 50), np.tile([0.0, 1.0], 25), draws=5)
    assert list(card) == ["auc", "pr_auc", "top_decile_lift", "brier", "log_loss", "ece", "empc"]


def test_the_value_card_has_every_metric_of_the_protocol() -> None:
    card = scorecard.value_card(np.linspace(0, 1, 50), np.tile([0.0, 1.0], 25), draws=5)
    assert list(card) == [
        "ngini", "spearman", "mae", "rmse", "msle", "bias", "decile_mape", "captured_top10", "captured_top20",
    ]  # fmt: skip


def test_a_calibration_error_is_never_stated_as_possibly_negative() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(300)
    assert scorecard.churn_card(p, (rng.random(300) < p).astype(np.float64))["ece"].low >= 0


def test_the_frequency_table_puts_seven_and_more_in_one_bin_and_keeps_one_time_buyers() -> None:
    repeat = np.array([0.0, 0.0, 3.0, 7.0, 12.0])
    table = scorecard.frequency_table(
        repeat, np.array([0.0, 1.0, 2.0, 4.0, 6.0]), {"model": np.array([0.2, 0.4, 2.0, 5.0, 7.0])}
    )
    assert table.index.tolist() == ["0", "3", "7+"]
    assert table["n_customers"].tolist() == [2, 1, 2]
    assert table["actual"].tolist() == [0.5, 2, 5]
    assert table["model"].tolist() == pytest.approx([0.3, 2, 6])


@pytest.mark.slow
def test_six_models_on_all_of_cdnow_are_measured_with_intervals_in_seconds() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(CDNOW_CUSTOMERS)
    churned = (rng.random(CDNOW_CUSTOMERS) < p).astype(np.float64)
    started = time.process_time()
    for _ in range(6):
        scorecard.churn_card(p, churned)
        scorecard.value_card(p, churned)
    assert time.process_time() - started < 30  # a quiet machine needs about 6 s; ordinary resampling over a minute
