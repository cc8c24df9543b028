"""A small but real training: 1,473 of CDNOW's customers, few trees, few bootstrap draws."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
from pyarrow import compute, parquet

from tests.cdnow_table import cdnow
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.training import train
from tiercast.training.settings import Horizons, Rolling, Settings, Trees
from tiercast.training.train import Trained

AS_OF = dt.date(1998, 7, 1)
SETTINGS = Settings(
    horizons=Horizons(churn_days=90, value_days=120),
    trees=Trees(rounds=30),
    rolling=Rolling(bootstrap_draws=20, most_windows=3, most_folds=1, threads=1),
)


def every_sixteenth_customer(path: Path) -> Path:
    """Their purchases as Parquet."""
    table = cdnow()
    rest = compute.bit_wise_and(table["customer_id"].cast(pa.int64()), 15)
    parquet.write_table(table.filter(compute.equal(rest, 1)), path)
    return path


def run(folder: Path) -> Trained:
    """Trained on everything known before 1998-07-01; `folder` takes the purchases."""
    return train_on(every_sixteenth_customer(folder / "purchases.parquet"))


def train_on(source: Path | str, settings: Settings = SETTINGS) -> Trained:
    """Trained on that table as of the same day."""
    with DuckDBEngine(threads=1) as engine:
        known = reading.read(engine, reading.Sources(str(source)), AS_OF)
        return train.train(engine, known, settings)
