from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.isotonic import IsotonicRegression

from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import outcomes, ranking
from tiercast.training.judge import baselines
from tiercast.training.judge.baselines import Cohort


def snapshot(silence: Vector, churned: Vector | None = None, value: Vector | None = None, **columns: object) -> Cohort:
    return Cohort(pd.DataFrame({"silence_days": silence, **columns}), churned, value)


def customers(seed: int, n: int = 2000) -> Cohort:
    """The longer silent, the likelier gone: half of those silent for 100 days."""
    rng = np.random.default_rng(seed)
    silence = np.round(rng.exponential(80, n)) + 1
    churned = (rng.random(n) < silence / (silence + 100)).astype(np.float64)
    return snapshot(
        silence,
        churned,
        (1 - churned) * rng.gamma(2, 50, n),
        n_repeat_orders=rng.poisson(2, n).astype(np.float64),
        age_days=silence + 50.0,
        order_value_mean=np.full(n, 25.0),
        spend_total=np.full(n, 75.0),
        spend_90d=np.full(n, 30.0),
        spend_365d=np.full(n, 100.0),
    )


EARLIER, NOW = customers(1), customers(2)


def test_every_churn_baseline_stands_beside_the_model() -> None:
    rules = baselines.churn_baselines(EARLIER, NOW, 90)
    assert set(rules) == {"base_rate", "recency", "halved_window_rule"}
    assert all(len(p) == 2000 and np.all((p >= 0) & (p <= 1)) for p in rules.values())


def test_every_value_baseline_stands_beside_the_model() -> None:
    rules = baselines.value_baselines(EARLIER, NOW, 90)
    assert set(rules) == {"zero", "naive_rate", "last_window_spend", "average_spend", "recency"}
    assert all(len(money) == 2000 and np.all(money >= 0) for money in rules.values())


def test_the_base_rate_is_the_earlier_windows_and_ranks_nobody() -> None:
    p = baselines.churn_baselines(EARLIER, NOW, 90)["base_rate"]
    assert EARLIER.churned is not None
    assert NOW.churned is not None
    assert np.all(p == EARLIER.churned.mean())
    assert ranking.auc(outcomes.pair(p, NOW.churned)) == 0.5


def test_what_happens_now_changes_no_baseline() -> None:
    blind = baselines.churn_baselines(EARLIER, NOW._replace(churned=None, value=None), 90)
    seeing = baselines.churn_baselines(EARLIER, NOW, 90)
    assert all(np.array_equal(blind[name], seeing[name]) for name in seeing)


def test_recency_never_calls_the_longer_silent_safer() -> None:
    p = baselines.churn_baselines(EARLIER, NOW, 90)["recency"]
    order = np.argsort(NOW.features["silence_days"].to_numpy())
    assert np.all(np.diff(p[order]) >= 0)


def test_recency_ranks_nearly_as_well_as_silence_itself_and_knows_the_level() -> None:
    assert NOW.churned is not None
    p = baselines.churn_baselines(EARLIER, NOW, 90)["recency"]
    silence = NOW.features["silence_days"].to_numpy()
    of_silence = ranking.auc(outcomes.pair(silence, NOW.churned))
    assert ranking.auc(outcomes.pair(p, NOW.churned)) == pytest.approx(of_silence, abs=0.005)
    assert np.mean(np.abs(p - silence / (silence + 100))) < 0.03


def test_the_rising_rate_passes_through_the_steps_of_isotonic_regression() -> None:
    assert EARLIER.churned is not None
    silence = EARLIER.features["silence_days"].to_numpy()
    steps = IsotonicRegression().fit(silence, EARLIER.churned).predict(np.unique(silence))
    assert baselines.rising_rate(silence, EARLIER.churned)[1] == pytest.approx(np.unique(steps))


def test_the_rule_takes_the_halved_window_that_separated_best_earlier() -> None:
    # Everybody silent for more than 40 days churned, nobody else: of 90, 45 and 22.5 days only 45 is nearly right.
    silence = np.arange(1.0, 121.0)
    earlier = snapshot(silence, (silence > 40).astype(np.float64))
    rule = baselines.churn_baselines(earlier, snapshot(np.array([45.0, 46.0])), 90)["halved_window_rule"]
    assert rule.tolist() == [0.0, 1.0]


def test_a_rule_that_nobody_breaks_falls_back_to_the_whole_window() -> None:
    earlier = snapshot(np.arange(1.0, 11.0), np.ones(10))
    rule = baselines.churn_baselines(earlier, snapshot(np.array([90.0, 91.0])), 90)["halved_window_rule"]
    assert rule.tolist() == [0.0, 1.0]


def test_average_spend_times_months_times_retention_by_hand() -> None:
    now = snapshot(np.ones(2), age_days=np.array([90.0, 6.0]), spend_total=np.array([120.0, 50.0]))
    # 120 in three months is 40 a month; 50 in a first week counts as a month's; two months ahead, half come back
    assert baselines.average_spend(now, 60, retention=0.5).tolist() == [40.0, 50.0]


def test_the_naive_rate_by_hand() -> None:
    # 3 repeat orders in 120 days, 60 days ahead: 1.5 orders of 25 are 37.5; a one-time buyer brings nothing.
    now = snapshot(
        np.ones(2), n_repeat_orders=np.array([3.0, 0.0]), age_days=np.full(2, 120.0), order_value_mean=np.full(2, 25.0)
    )
    assert baselines.naive_rate(now, 60).tolist() == [37.5, 0.0]


@pytest.mark.parametrize(("value_days", "expected"), [(90, 30.0), (180, 60.0), (365, 100.0), (730, 200.0)])
def test_last_window_spend_takes_the_nearest_window_and_scales_it(value_days: float, expected: float) -> None:
    # 30 in the last 90 days, 100 in the last 365; 180 is nearer to 90.
    assert baselines.last_window_spend(NOW, value_days)[0] == pytest.approx(expected)


def test_last_window_spend_asks_for_a_window() -> None:
    with pytest.raises(errors.MissingColumn, match="spend_<days>d"):
        baselines.last_window_spend(snapshot(np.ones(1), spend_total=np.ones(1), spend_last_year=np.ones(1)), 90)


def test_value_by_recency_is_the_mean_of_equally_silent_customers() -> None:
    silence = np.repeat([10.0, 200.0], 50)
    value = np.concatenate([np.tile([60.0, 100.0], 25), np.tile([0.0, 8.0], 25)])
    assert baselines.mean_by_bin(silence, value, np.array([1.0, 10.0, 200.0, 999.0])).tolist() == [80, 80, 4, 4]


def test_no_bin_of_silence_is_empty_however_the_ties_fall() -> None:
    silence = np.array([1.0] * 10 + [2.0] + [50.0] * 9)
    means = baselines.mean_by_bin(silence, np.ones(20), np.arange(0.0, 60.0))
    assert means.tolist() == [1.0] * 60


def test_a_prospect_gets_no_forecast_from_any_rule() -> None:
    prospect = NOW._replace(features=NOW.features.iloc[:1].astype("Float64") * pd.NA)
    rules = baselines.churn_baselines(EARLIER, prospect, 90) | baselines.value_baselines(EARLIER, prospect, 90)
    assert all(np.isnan(forecast[0]) for forecast in rules.values())


def test_prospects_of_the_earlier_window_teach_nothing() -> None:
    features = pd.concat([EARLIER.features, EARLIER.features.iloc[:500] * np.nan])
    assert EARLIER.churned is not None
    padded = Cohort(features, np.append(EARLIER.churned, np.ones(500)))
    without, beside = (baselines.churn_baselines(earlier, NOW, 90) for earlier in (EARLIER, padded))
    assert all(np.array_equal(without[name], beside[name]) for name in without)


def test_an_earlier_window_without_outcomes_is_refused() -> None:
    with pytest.raises(errors.NotEnoughData, match="no `churned`"):
        baselines.churn_baselines(EARLIER._replace(churned=None), NOW, 90)


def test_an_earlier_window_without_customers_is_refused() -> None:
    with pytest.raises(errors.NotEnoughData, match="0 of 3 customers"):
        baselines.churn_baselines(snapshot(np.full(3, np.nan), np.ones(3)), NOW, 90)


def test_a_table_without_silence_is_refused() -> None:
    with pytest.raises(errors.MissingColumn, match="silence_days"):
        baselines.churn_baselines(EARLIER, Cohort(pd.DataFrame({"n_orders": [1.0]})), 90)
