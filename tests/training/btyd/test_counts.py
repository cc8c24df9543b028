"""The closed form learns the same from customers counted by the engine as from customers one by one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np

from tests import built_features, make_tables, small_training
from tiercast.features import build, reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.spec import FeatureSpec
from tiercast.training.btyd import counts, fit_both


def test_equal_customers_are_counted_once_by_hand(tmp_path: Path) -> None:
    """On 2024-03-01: a and b ordered 60 and 30 days ago, c 60 days ago, d twice of which the second was a refund."""
    lines = built_features.orders(
        ("a", "2024-01-01", 9.0), ("a", "2024-01-31", 5.0), ("b", "2024-01-01", 7.0), ("b", "2024-01-31", 5.0),
        ("c", "2024-01-01", 1.0), ("d", "2024-01-01", 4.0), ("d", "2024-01-31", -4.0), ("back", "2024-01-31", -1.0),
    )  # fmt: skip
    with DuckDBEngine(threads=1) as engine:
        source = make_tables.write(tmp_path, lines)
        tables = reading.read(engine, reading.Sources(source), make_tables.AS_OF).tables
        found = counts.statistics(engine, build.build(tables, make_tables.AS_OF, FeatureSpec(windows=(30,))))
    assert [part.tolist() for part in found[:4]] == [[0.0, 1.0], [0.0, 30.0], [60.0, 60.0], [2.0, 2.0]]
    assert [part.tolist() for part in found[4:]] == [[1.0, 1.0, 2.0, 2.0], [1.0, 4.0, 6.0, 7.0], [1.0] * 4]


def test_the_parameters_are_those_of_the_customers_one_by_one(tmp_path: Path) -> None:
    source = str(small_training.every_sixteenth_customer(tmp_path / "orders.parquet"))
    as_of = dt.date(1998, 1, 1)
    with DuckDBEngine(threads=1) as engine:
        tables = reading.read(engine, reading.Sources(source), as_of).tables
        table = build.build(tables, as_of, FeatureSpec(windows=(30,)))
        counted = counts.statistics(engine, table)
        features = engine.con.to_pyarrow(table).to_pandas()
    one_by_one = fit_both.fits(features, "bgnbd")
    together = fit_both.fit(counted, "bgnbd")
    assert counted.n.sum() == len(features) > 3 * len(counted.n) / 2
    assert np.allclose(together.orders, one_by_one.orders.params, rtol=1e-9)
    assert np.allclose(together.money, one_by_one.money.params, rtol=1e-9)
