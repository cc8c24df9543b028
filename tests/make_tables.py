"""Small input tables as real files: transactions that are fine, to be made wrong in one place by a test."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import csv, parquet

AS_OF = datetime.date(2024, 3, 1)
FINE = {
    "customer_id": ["c-1", "c-1", "c-2", "c-2", "c-3", "c-3"],
    "ordered_at": ["2024-01-01 12:00", "2024-02-10 09:30", "2024-01-05", "2024-01-05", "2024-02-01", "2024-02-20"],
    "amount": [10.0, 20.0, 5.5, -5.5, 0.0, 99.99],
}


def transactions(**changed: Sequence[Any] | pa.Array) -> pa.Table:
    """Six purchase lines of three customers from 2024-01-01 to 2024-02-20; whole columns replaced or added."""
    times = pa.array(FINE["ordered_at"]).cast(pa.timestamp("us"))
    return pa.table({**FINE, "ordered_at": times, **changed})


def write(folder: pathlib.Path, table: pa.Table | Mapping[str, Any], name: str = "orders.parquet") -> str:
    """Write the table as the kind of file that its name says, and return the path as a user would type it."""
    table = table if isinstance(table, pa.Table) else pa.table(dict(table))
    path = folder / name
    if name.endswith(".csv"):
        csv.write_csv(table, path)
    else:
        parquet.write_table(table, path)
    return str(path)


def write_text(folder: pathlib.Path, text: str, name: str = "orders.csv") -> str:
    """Write a CSV file letter by letter."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@contextlib.contextmanager
def folder() -> Iterator[pathlib.Path]:
    """A temporary folder for one example of Hypothesis, which cannot use the fixture."""
    with tempfile.TemporaryDirectory() as name:
        yield pathlib.Path(name)
