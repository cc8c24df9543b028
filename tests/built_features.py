"""Features of a few customers, from files as a user would pass them to rows as a test compares them."""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from tests import make_tables
from tiercast.features import build, reading
from tiercast.features.engines.duckdb import Engine
from tiercast.features.spec import FeatureSpec

AS_OF = dt.date(2024, 3, 1)
Rows = dict[str, dict[str, Any]]


def rows(
    folder: pathlib.Path,
    orders: Mapping[str, Sequence[Any]],
    spec: FeatureSpec,
    *,
    as_of: dt.date = AS_OF,
    threads: int = 1,
    **others: Mapping[str, Sequence[Any]],
) -> Rows:
    """One dictionary per customer, by id; `others` are the tables of customers and interactions."""
    places: dict[str, Any] = {
        name: make_tables.write(folder, dict(table), f"{name}.parquet") for name, table in others.items()
    }
    sources = reading.Sources(make_tables.write(folder, dict(orders), "orders.parquet"), **places)
    with Engine(threads=threads) as engine:
        tables = reading.read(engine, sources, as_of).tables
        found = engine.con.to_pyarrow(build.build(tables, as_of, spec)).to_pylist()
    rows = {row["customer_id"]: row for row in found}
    assert len(rows) == len(found)
    return rows


def orders(*lines: tuple[str, str, float]) -> dict[str, list[Any]]:
    """Purchase lines as (customer, day, amount)."""
    names = ("customer_id", "ordered_at", "amount")
    return {name: [line[place] for line in lines] for place, name in enumerate(names)}
