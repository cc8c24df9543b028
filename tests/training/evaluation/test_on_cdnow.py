"""The published scorecard of CDNOW's 1/10 sample: forecasts at the papers' parameters, in weeks."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy import special

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import level, outcomes, ranking, scorecard

WEEKS = 39.0
AS_OF = pd.Timestamp("1997-10-01")


class Cohort(NamedTuple):
    x: Vector
    t_x: Vector
    T: Vector
    actual: Vector


@pytest.fixture(scope="module")
def cdnow() -> Cohort:
    """Orders by day; calibration to 1997-09-30, the papers' T counted to that day; holdout to 1998-06-30."""
    found = importlib.util.find_spec("lifetimes")
    assert found is not None
    assert found.origin is not None
    lines = pd.read_csv(
        Path(found.origin).parent / "datasets" / "CDNOW_sample.txt",
        sep=r"\s+", header=None, usecols=[1, 2], names=["customer", "day"],
    )  # fmt: skip
    days = lines.drop_duplicates().assign(day=lambda df: pd.to_datetime(df["day"].astype(str), format="%Y%m%d"))
    known = days[days["day"] < AS_OF].groupby("customer")["day"].agg(["min", "max", "count"])
    later = days[days["day"] >= AS_OF].groupby("customer").size().reindex(known.index, fill_value=0)
    return Cohort(
        (known["count"] - 1).to_numpy(np.float64),
        (known["max"] - known["min"]).dt.days.to_numpy(np.float64) / 7,
        (AS_OF - pd.Timedelta(days=1) - known["min"]).dt.days.to_numpy(np.float64) / 7,
        later.to_numpy().astype(np.float64),
    )


def expected_orders(cohort: Cohort, r: float, alpha: float, a: float, b: float) -> Vector:
    """Equation (10) of Fader, Hardie & Lee (2005) over 39 weeks, written out here as the second way."""
    x, t_x, T, _ = cohort
    curve = special.hyp2f1(r + x, b + x, a + b + x - 1, WEEKS / (alpha + T + WEEKS))
    grown = (a + b + x - 1) / (a - 1) * (1 - ((alpha + T) / (alpha + T + WEEKS)) ** (r + x) * curve)
    left = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x), 0.0)
    return np.asarray(grown / (1 + left), dtype=np.float64)


@pytest.fixture(scope="module")
def bgnbd(cdnow: Cohort) -> Vector:
    """At the parameters as printed, to three decimals: the scorecard belongs to these (all digits give MAE .78545)."""
    return expected_orders(cdnow, 0.243, 4.414, 0.793, 2.426)


def test_bgnbd_has_the_scorecard_of_fader_hardie_and_lee(cdnow: Cohort, bgnbd: Vector) -> None:
    pairs = outcomes.pair(bgnbd, cdnow.actual)
    assert cdnow.actual.sum() == 1882
    assert level.bias(pairs) == pytest.approx(-0.121, abs=0.0005)
    assert level.mae(pairs) == pytest.approx(0.7856, abs=0.00005)
    assert level.rmse(pairs) == pytest.approx(1.6080, abs=0.00005)
    assert ranking.spearman(pairs) == pytest.approx(0.449, abs=0.0005)
    assert np.corrcoef(bgnbd, cdnow.actual)[0, 1] == pytest.approx(0.6256, abs=0.00005)
    assert ranking.auc(outcomes.pair(bgnbd, (cdnow.actual > 0).astype(np.float64))) == pytest.approx(
        0.7725, abs=0.00005
    )


def test_the_naive_rate_is_55_7_percent_too_high_in_total(cdnow: Cohort) -> None:
    naive: Vector = cdnow.x / cdnow.T * WEEKS
    pairs = outcomes.pair(naive, cdnow.actual)
    assert level.bias(pairs) == pytest.approx(0.557, abs=0.0005)
    assert level.mae(pairs) == pytest.approx(1.0237, abs=0.00005)
    assert level.rmse(pairs) == pytest.approx(2.2119, abs=0.00005)
    assert ranking.spearman(pairs) == pytest.approx(0.490, abs=0.0005)


def test_by_mae_alone_forecasting_nothing_nearly_ties_with_bgnbd(cdnow: Cohort, bgnbd: Vector) -> None:
    nothing = outcomes.pair(np.zeros(len(cdnow.x)), cdnow.actual)
    assert level.mae(nothing) == pytest.approx(0.7985, abs=0.00005)
    assert level.rmse(nothing) == pytest.approx(2.2064, abs=0.00005)
    assert level.mae(nothing) - level.mae(outcomes.pair(bgnbd, cdnow.actual)) < 0.013
    assert ranking.ngini(nothing) == 0


def test_plain_recency_tells_who_orders_again_nearly_as_well_as_bgnbd(cdnow: Cohort) -> None:
    latest_first: Vector = cdnow.t_x - cdnow.T
    again = outcomes.pair(latest_first, (cdnow.actual > 0).astype(np.float64))
    assert ranking.auc(again) == pytest.approx(0.7714, abs=0.00005)


def test_the_frequency_table_is_that_of_fader_hardie_and_lee(cdnow: Cohort) -> None:
    bgnbd = expected_orders(cdnow, 0.2425945, 4.4136019, 0.7929199, 2.4258881)
    table = scorecard.frequency_table(cdnow.x, cdnow.actual, {"BG/NBD": bgnbd})
    assert table.index.tolist() == ["0", "1", "2", "3", "4", "5", "6", "7+"]
    assert table["n_customers"].tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert table["actual"].round(3).tolist() == [0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359]
    assert table["BG/NBD"].round(3).tolist() == [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157]
