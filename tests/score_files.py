"""Score files with the contract's columns and metadata, written from a few arrays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tiercast.contract import scores

AS_OF = dt.date(2024, 6, 1)


def write(
    path: Path,
    customer_id: Sequence[str],
    tier: Sequence[str],
    value: Sequence[float],
    *,
    as_of: dt.date = AS_OF,
    currency: str = "GBP",
    churn_days: int = 90,
    value_days: int = 365,
    notes: Mapping[str, Any] | None = None,
    **columns: Sequence[Any],
) -> str:
    """One score file. Columns that are not given hold a plain constant; nan becomes null."""
    n = len(customer_id)
    extra = {"as_of": as_of.isoformat(), "model": "tiercast/1/abc", **(notes or {})}
    schema = scores.schema(currency, churn_days, value_days, extra=extra)
    plain: dict[str, Any] = {"string": "", "date32": as_of, "double": 0.5, "bool": False, "list<string>": []}
    given: dict[str, Any] = {"customer_id": customer_id, "tier": tier, "value": value, **columns}
    arrays = []
    for column in scores.SCORES:
        cells = given.get(column.name, [plain[column.type]] * n)
        cells = [None if isinstance(cell, float) and np.isnan(cell) else cell for cell in cells]
        arrays.append(pa.array(cells, schema.field(column.name).type))
    parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), path)
    return str(path)
