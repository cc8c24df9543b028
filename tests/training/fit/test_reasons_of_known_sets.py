"""On every set that can be had here, the first reason explains the letter, and contributions add up to distances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.special import logit

from benchmarks.rolling import cases
from benchmarks.rolling.cases import Case
from tests import shared_data
from tiercast.features import build, reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.models import churn, factors, predict
from tiercast.models import frame as frames
from tiercast.models.bundle import About, Bundle
from tiercast.models.predict import Predictions
from tiercast.serving import score
from tiercast.tiers import families, grid
from tiercast.training import train
from tiercast.training.fit import procedure
from tiercast.training.settings import Rolling, Settings, Trees

pytestmark = pytest.mark.slow
TITLES = (
    "CDNOW, 90/180 days",
    "CDNOW, 180 days",
    "Complete Journey, 30/90 days",
    "Online Retail, 60 days",
    "Online Retail, 30/90 days",
    "simulated ageing cohort, 90 days",
    "simulated growing shop, 90/365 days",
)
DIRECTIONS = {"A": "loyalty", "B": "risk", "C": "loyalty", "D": "risk", "E": "risk"}


class Scored(NamedTuple):
    bundle: Bundle
    predictions: Predictions
    rows: Mapping[str, list[Any]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    return {case.title: case for case in cases.gather(tmp_path_factory.mktemp("sets"))[0]}


@pytest.fixture(scope="module", params=TITLES)
def scored(request: pytest.FixtureRequest, found: dict[str, Case]) -> Scored:
    """A small training on the whole set, and the scores of its own last day."""
    if request.param not in found:
        shared_data.need("online_retail/transactions.parquet")
        pytest.skip(f"{request.param} is not here")
    case = found[request.param]
    rolling = Rolling(most_windows=3, most_folds=1, threads=1)
    settings = Settings(horizons=case.horizons, trees=Trees(rounds=30), rolling=rolling)
    with DuckDBEngine(threads=1) as engine:
        read = reading.read(engine, case.sources, case.ends)
        span = read.report.first_on, read.as_of
        snapshots = train.open_snapshots(engine, read.tables, span, settings)
        bundle = procedure.run(snapshots, span[1], settings, About(span[1], *case.horizons.both)).bundle
        features = engine.con.to_pyarrow(build.build(read.tables, span[1], bundle.spec))
    predictions = predict.predict(bundle, frames.from_arrow(features, bundle.spec.names))
    return Scored(bundle, predictions, score.score(bundle, features).to_pydict())


def test_the_first_reason_is_never_against_the_letter_and_everyone_has_one(scored: Scored) -> None:
    against = {
        (tier, reasons[0] if reasons else "")
        for tier, reasons in zip(scored.rows["tier"], scored.rows["reasons"], strict=True)
        if tier != "F" and (not reasons or families.BY_CODE[reasons[0]][1] != DIRECTIONS[tier])
    }
    assert against == set()


def test_a_single_true_reason_is_named_for_nearly_everyone(scored: Scored) -> None:
    overall = [reasons[0] in families.OVERALL.values() for reasons in scored.rows["reasons"]]
    assert np.mean(overall) < 0.01


def test_the_inactive_are_told_their_silence_first_and_the_others_their_value_second(scored: Scored) -> None:
    for tier, reasons in zip(scored.rows["tier"], scored.rows["reasons"], strict=True):
        if tier == "E":
            assert families.BY_CODE[reasons[0]][0] == "silence"
        elif tier != "F":
            assert families.BY_CODE[reasons[1]] == (families.VALUE, "high" if tier in grid.HIGH_VALUE else "low")


def test_contributions_add_up_to_the_distances_from_both_cuts(scored: Scored) -> None:
    bundle, p = scored.bundle, scored.predictions
    is_buyer = ~np.isnan(p.value)
    _, parts = churn.explain(bundle.churn, p.frame, bundle.line, families.family_of)
    away = churn.log_odds(bundle.churn, p.frame) - logit(bundle.cuts.p_churn)
    assert np.sum(list(parts.values()), axis=0)[is_buyer] == pytest.approx(away[is_buyer], abs=1e-8)
    of_value = factors.from_cut(p.factors, bundle.cuts.value, bundle.typical[factors.VALUE_PER_ORDER])
    has_value = is_buyer & (p.value > 1e-3)
    assert np.sum(of_value, axis=0)[has_value] == pytest.approx(
        np.log(p.value[has_value] / bundle.cuts.value), abs=1e-6
    )
