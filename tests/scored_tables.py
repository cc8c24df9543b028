"""A few of CDNOW's customers to score, and what a test wants to know of a score file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import compute, parquet

from tests.cdnow_table import cdnow
from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import Sources
from tiercast.models.bundle import Bundle
from tiercast.serving.batch import scoring

AS_OF = dt.date(1998, 7, 1)


def purchases(every: int = 200) -> pa.Table:
    """The purchase lines of one customer in `every`."""
    table = cdnow()
    rest = compute.subtract(
        table["customer_id"].cast(pa.int64()),
        compute.multiply(compute.divide(table["customer_id"].cast(pa.int64()), every), every),
    )
    return table.filter(compute.equal(rest, 1))


def write(folder: Path, table: pa.Table, name: str = "orders.parquet") -> str:
    parquet.write_table(table, folder / name)
    return str(folder / name)


def score(bundle: Bundle, source: str, out: Path, *, threads: int = 1, as_of: dt.date = AS_OF, **how: Any) -> pa.Table:
    """What `tiercast score` writes to `out`, read again. `how` holds other sources and options of `score_all`."""
    places = {name: how.pop(name) for name in ("customers", "interactions", "overrides", "duplicates") if name in how}
    with Engine(threads=threads) as engine:
        scoring.score_all(engine, bundle, Sources(source, **places), as_of, out, **how)
    return parquet.read_table(out)
