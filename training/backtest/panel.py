"""All dates of a backtest side by side: one row per customer, one column per date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from tiercast.contract.vectors import Vector
from tiercast.tiers.grid import Cuts
from tiercast.training.backtest.day import Day
from tiercast.training.evaluation.stability import Tiers


class Panel(NamedTuple):
    """The judged dates. `tiers` is "" and the numbers are nan where a customer was not known yet."""

    tiers: Tiers
    p_churn: Vector
    value: Vector
    actual: Vector
    cuts: tuple[Cuts, ...]


def panel(days: Sequence[Day]) -> Panel:
    """Customers are matched by id; a customer of any date has a row."""
    tables = [day.scores for day in days if day.scores is not None]
    everyone = pa.chunked_array([chunk for table in tables for chunk in table["customer_id"].chunks]).unique()
    rows = [compute.index_in(table["customer_id"], value_set=everyone).to_numpy() for table in tables]
    p_churn, value, actual = (
        _side_by_side(rows, [_numbers(table[name]) for table in tables], len(everyone))
        for name in ("p_churn", "value", "actual_value")
    )
    tiers = np.full((len(everyone), len(tables)), "", dtype="<U1")
    for at, (row, table) in enumerate(zip(rows, tables, strict=True)):
        tiers[row, at] = text(table["tier"])
    return Panel(tiers, p_churn, value, actual, tuple(Cuts(**day.cuts) for day in days if day.scores is not None))


def text(column: pa.ChunkedArray) -> NDArray[np.str_]:
    """A column of letters as NumPy takes it."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.str_)


def _numbers(column: pa.ChunkedArray) -> Vector:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _side_by_side(rows: Sequence[NDArray[np.intp]], columns: Sequence[Vector], n: int) -> Vector:
    out = np.full((n, len(rows)), np.nan)
    for at, (row, column) in enumerate(zip(rows, columns, strict=True)):
        out[row, at] = column
    return out
