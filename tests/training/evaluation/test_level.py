from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import level, outcomes


def customers(n: int = 1000) -> tuple[Vector, Vector]:
    rng = np.random.default_rng(0)
    forecast = rng.gamma(0.5, 40, n)
    return forecast, np.where(rng.random(n) < 0.4, forecast * rng.lognormal(0, 1, n), 0.0)


def test_errors_per_customer_are_those_of_scikit_learn() -> None:
    forecast, actual = customers()
    pairs = outcomes.pair(forecast, actual)
    assert level.mae(pairs) == pytest.approx(metrics.mean_absolute_error(actual, forecast))
    assert level.rmse(pairs) == pytest.approx(metrics.root_mean_squared_error(actual, forecast))
    assert level.msle(pairs) == pytest.approx(metrics.mean_squared_log_error(actual, forecast))


def test_bias_is_the_relative_error_of_the_total() -> None:
    assert level.bias(outcomes.pair(np.array([3.0, 6.0]), np.array([10.0, 0.0]))) == pytest.approx(-0.1)
    assert np.isnan(level.bias(outcomes.pair(np.array([3.0, 6.0]), np.zeros(2))))


def test_a_forecast_of_nothing_is_100_percent_too_low_in_total_and_in_each_decile() -> None:
    actual = np.linspace(1, 100, 200)
    nothing = outcomes.pair(np.zeros(200), actual)
    assert level.bias(nothing) == -1
    assert level.decile_mape(nothing) == 1


def test_a_customer_who_returned_more_than_they_bought_counts_as_zero_in_the_log_error() -> None:
    assert level.msle(outcomes.pair(np.zeros(1), np.array([-30.0]))) == 0


def test_decile_mape_by_hand() -> None:
    # Ten customers, one per decile; each forecast 20 % too high but the last, which forecast 1 and brought nothing.
    actual = np.array([100.0, 90, 80, 70, 60, 50, 40, 30, 20, 0])
    forecast = np.append(actual[:9] * 1.2, 1.0)
    assert level.decile_mape(outcomes.pair(forecast, actual)) == pytest.approx((9 * 0.2 + 1) / 10)


def test_deciles_are_the_means_of_tenths_sorted_by_forecast() -> None:
    forecast, actual = customers()
    tenths = level.deciles(outcomes.pair(forecast, actual))
    order = np.argsort(-forecast).reshape(10, 100)
    assert tenths.forecast == pytest.approx(forecast[order].mean(axis=1))
    assert tenths.actual == pytest.approx(actual[order].mean(axis=1))
