from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import pytest

from tests import scored_tables, small_training
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.models.bundle import Bundle
from tiercast.training import train
from tiercast.training.settings import Horizons

TRAINED_ON = dt.date(1998, 2, 1)
LATER = dt.date(1998, 5, 1)
DAYS = 60


class Place(NamedTuple):
    """1,474 of CDNOW's customers, a bundle of 1998-02-01 for 60 days, and the scores it gave on that day."""

    orders: str
    bundle: Bundle
    scores: str


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("watched")
    orders = str(small_training.every_sixteenth_customer(folder / "orders.parquet"))
    settings = small_training.SETTINGS.model_copy(update={"horizons": Horizons(churn_days=DAYS, value_days=DAYS)})
    with DuckDBEngine(threads=1) as engine:
        bundle = train.train(engine, reading.read(engine, reading.Sources(orders), TRAINED_ON), settings).bundle
    scored_tables.score(bundle, orders, folder / "scores.parquet", as_of=TRAINED_ON)
    return Place(orders, bundle, str(folder / "scores.parquet"))
