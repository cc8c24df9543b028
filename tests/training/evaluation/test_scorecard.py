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


def test_coverage_counts_the_ends_of_the_interval_and_splits_by_group() -> None:
    low, high = np.array([0.0, 0.0, 5.0, 5.0]), np.array([10.0, 10.0, 6.0, 6.0])
    card = scorecard.interval_card(low, high, np.array([10.0, 11.0, 5.0, 5.5]), np.array(["A", "A", "D", "D"]))
    assert card.overall == (0.75, 5.5, 4, 0.25, 0.0, None)
    assert card.by_group == {"A": (0.5, 10.0, 2, 0.5, None, None), "D": (1.0, 1.0, 2, 0.0, 0.0, None)}


def test_three_shares_ask_only_those_to_whom_something_was_promised() -> None:
    low, high = np.array([0.0, 0.0, 0.0, 2.0, 2.0]), np.array([0.0, 0.0, 9.0, 9.0, 9.0])
    card = scorecard.interval_card(low, high, np.array([0.0, 1.0, 10.0, 1.0, 5.0]))
    assert list(card.overall[3:]) == pytest.approx([1 / 3, 0.5, 0.5])


def test_coverage_without_groups_has_only_the_overall_line() -> None:
    card = scorecard.interval_card(np.zeros(2), np.ones(2), np.array([0.5, 2.0]))
    assert (card.overall.coverage, card.by_group) == (0.5, {})


def test_eighty_percent_intervals_of_the_true_law_cover_eighty_percent() -> None:
    drawn = np.random.default_rng(0).normal(size=20_000)
    card = scorecard.interval_card(np.full(20_000, -1.2816), np.full(20_000, 1.2816), drawn)
    assert card.overall.coverage == pytest.approx(0.8, abs=0.01)


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
