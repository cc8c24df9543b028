"""From rows of the store to the contract's columns: adds `as_of` and `model`, and puts the reasons into a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Row

from tiercast.contract import scores as contract
from tiercast.serving.store import tables
from tiercast.serving.store.generations import Generation

EXTRA = ("value_at_risk", "previous_tier", "move")
ORDER = (*contract.NAMES, *EXTRA)
Record = dict[str, Any]


def record(row: Row[Any], generation: Generation) -> Record:
    """One customer: the contract's columns, then `value_at_risk`, `previous_tier` and `move`."""
    values = dict(zip(tables.COLUMNS, row, strict=True))
    values["as_of"], values["model"], values["reasons"] = generation.as_of, generation.model, reasons(row)
    return {name: values[name] for name in ORDER}


def reasons(row: Row[Any]) -> list[str]:
    """The codes of a row, at most three."""
    return [code for code in (row.reason_1, row.reason_2, row.reason_3) if code is not None]


def batch(rows: Sequence[Row[Any]], generation: Generation, schema: pa.Schema) -> pa.RecordBatch:
    """Many customers in the contract's columns and types."""
    columns = dict(zip(tables.COLUMNS, zip(*rows, strict=True), strict=True))
    n = len(rows)
    lists = zip(*(columns[name] for name in tables.REASONS), strict=True)
    values: dict[str, Sequence[Any]] = columns | {
        "as_of": [generation.as_of] * n,
        "model": [generation.model] * n,
        "reasons": [[code for code in codes if code is not None] for codes in lists],
    }
    arrays = [pa.array(values[field.name], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def all_columns(table: sa.FromClause) -> sa.Select[Any]:
    """The rows of one generation, column by column in the order of `tables.COLUMNS`."""
    return sa.select(*table.c)
