"""The holdout of CDNOW: what BG/NBD and Pareto/NBD forecast for 39 more weeks, against what happened."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from tests.published import cdnow
from tiercast.contract.vectors import Vector
from tiercast.models import bgnbd, paretonbd
from tiercast.models.bgnbd import BgNbd
from tiercast.models.paretonbd import ParetoNbd

PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)  # as the paper prints them


def forecast() -> Vector:
    data = cdnow.sample()
    return bgnbd.expected_orders(PUBLISHED, data.x, data.t_x, data.T, 39.0)


def by_frequency(values: Vector) -> list[float]:
    group = np.minimum(cdnow.sample().x, 7)
    return [float(values[group == n].mean()) for n in range(8)]


def test_customers_by_calibration_frequency_are_the_papers() -> None:
    assert np.bincount(np.minimum(cdnow.sample().x, 7).astype(int)).tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]


def test_holdout_means_by_calibration_frequency_are_the_papers() -> None:
    actual = [0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359]
    assert by_frequency(cdnow.sample().holdout) == pytest.approx(actual, abs=6e-4)


def test_forecast_means_by_calibration_frequency_are_the_papers() -> None:
    expected = [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157]
    assert by_frequency(forecast()) == pytest.approx(expected, abs=6e-4)


def test_bg_nbd_row_of_the_scorecard() -> None:
    actual, answer = cdnow.sample().holdout, forecast()
    assert answer.sum() / actual.sum() - 1 == pytest.approx(-0.121, abs=5e-4)
    assert np.abs(answer - actual).mean() == pytest.approx(0.7856, abs=5e-5)
    assert np.sqrt(((answer - actual) ** 2).mean()) == pytest.approx(1.6080, abs=5e-5)
    assert np.corrcoef(answer, actual)[0, 1] == pytest.approx(0.6256, abs=5e-5)
    assert stats.spearmanr(answer, actual).statistic == pytest.approx(0.449, abs=5e-4)
    assert metrics.roc_auc_score(actual > 0, answer) == pytest.approx(0.7725, abs=5e-5)


def test_pareto_nbd_row_of_the_scorecard() -> None:
    data = cdnow.sample()
    model = ParetoNbd(r=0.55315, alpha=10.57633, s=0.60625, beta=11.67150)
    answer = paretonbd.expected_orders(model, data.x, data.t_x, data.T, 39.0)
    assert answer.sum() / data.holdout.sum() - 1 == pytest.approx(-0.115, abs=5e-4)
    assert np.abs(answer - data.holdout).mean() == pytest.approx(0.7545, abs=5e-5)
    assert np.sqrt(((answer - data.holdout) ** 2).mean()) == pytest.approx(1.6028, abs=5e-5)
    assert np.corrcoef(answer, data.holdout)[0, 1] == pytest.approx(0.6302, abs=5e-5)
    assert stats.spearmanr(answer, data.holdout).statistic == pytest.approx(0.460, abs=5e-4)
    assert metrics.roc_auc_score(data.holdout > 0, answer) == pytest.approx(0.7787, abs=5e-5)


def test_naive_rate_row_of_the_scorecard() -> None:
    data = cdnow.sample()
    naive = data.x / data.T * 39.0
    assert naive.sum() / data.holdout.sum() - 1 == pytest.approx(0.557, abs=5e-4)
    assert np.abs(naive - data.holdout).mean() == pytest.approx(1.0237, abs=5e-5)
    assert np.sqrt(((naive - data.holdout) ** 2).mean()) == pytest.approx(2.2119, abs=5e-5)


def test_forecasting_nothing_at_all_nearly_ties_on_mae() -> None:
    assert cdnow.sample().holdout.mean() == pytest.approx(0.7985, abs=5e-5)


def test_plain_recency_separates_returners_nearly_as_well() -> None:
    data = cdnow.sample()
    assert metrics.roc_auc_score(data.holdout > 0, data.t_x - data.T) == pytest.approx(0.7714, abs=5e-5)
