"""A small but real backtest: 737 of CDNOW's customers, few trees, three dates, value looks further ahead than churn.

The same data and settings for the library and, as a file, for the command line.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
from pyarrow import compute, parquet

from tests.cdnow_table import cdnow
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import Sources
from tiercast.training import settings
from tiercast.training.backtest import plan, study
from tiercast.training.backtest.plan import DateRange
from tiercast.training.backtest.study import Backtest
from tiercast.training.settings import Settings

REQUESTED = DateRange(dt.date(1997, 8, 1), dt.date(1998, 4, 1), plan.every("120d"))
DATES = (dt.date(1997, 8, 1), dt.date(1997, 11, 29), dt.date(1998, 3, 29))
CONFIG = """
[horizons]
churn_days = 60
value_days = 90
[trees]
rounds = 15
min_data_in_leaf = 20
[rolling]
most_windows = 3
most_folds = 1
feature_windows = [30, 90]
bootstrap_draws = 20
threads = 1
"""


def purchases() -> pa.Table:
    """One customer in 32."""
    table = cdnow()
    rest = compute.bit_wise_and(table["customer_id"].cast(pa.int64()), 31)
    return table.filter(compute.equal(rest, 1))


def write(folder: Path, table: pa.Table | None = None) -> Path:
    path = folder / "orders.parquet"
    parquet.write_table(purchases() if table is None else table, path)
    return path


def chosen(folder: Path, more: str = "") -> Settings:
    """The settings by way of a file, as the command line reads them."""
    path = folder / "tiercast.toml"
    path.write_text(CONFIG + more, encoding="ascii")
    return settings.load(path, {})


def run(
    folder: Path, source: Path, requested: DateRange = REQUESTED, *, name: str = "backtest", more: str = ""
) -> Backtest:
    with DuckDBEngine(threads=1) as engine:
        return study.run(engine, Sources(str(source)), None, requested, chosen(folder, more), folder / name)
