"""The windows of a small real history."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import small_training
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.training import train
from tiercast.training.windows import sampling, schedule
from tiercast.training.windows.snapshots import Snapshot, Snapshots

SETTINGS = small_training.SETTINGS


@pytest.fixture(scope="package")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshots]:
    source = small_training.every_sixteenth_customer(tmp_path_factory.mktemp("purchases") / "purchases.parquet")
    with DuckDBEngine(threads=1) as engine:
        known = reading.read(engine, reading.Sources(str(source)), small_training.AS_OF)
        span = known.report.first_on, known.as_of
        yield train.open_snapshots(engine, sampling.draw(engine, known.tables, 0).tables, span, SETTINGS)


@pytest.fixture(scope="package")
def windows(history: Snapshots) -> list[Snapshot]:
    dates = schedule.plan(history.first_on, history.known_until, SETTINGS.horizons.churn_days, 3)
    return history.all_at(dates)
