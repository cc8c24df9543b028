"""Write rows of Python values as Parquet: a column of one kind keeps it, any other becomes text.

Two passes over the rows, in batches: the first decides the kind of each column, the second writes.
"""

from __future__ import annotations

import datetime as dt
import itertools
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tiercast.contract import errors

Rows = Callable[[], Iterable[Sequence[Any]]]
BATCH = 16_384
INT64 = 1 << 63
NO_SPACE = "free some space, or set TMPDIR to a folder on a larger disk"
TEXT, TEXTS = pa.string(), {str, type(None)}
TYPES = {
    frozenset({bool}): pa.bool_(),
    frozenset({int}): pa.int64(),
    frozenset({float}): pa.float64(),
    frozenset({int, float}): pa.float64(),
    frozenset({dt.date}): pa.date32(),
    frozenset({dt.datetime}): pa.timestamp("us"),
    frozenset({dt.date, dt.datetime}): pa.timestamp("us"),
}


def write(names: Sequence[str], rows: Rows, target: pathlib.Path) -> str:
    """Write all rows, each as long as `names`, to `target`, and return its path. Raises `CannotWrite`.

    A cell in a column of mixed kinds is written as a CSV file would have it: 13085 for 13085.0, 2024-01-31 for a date.
    """
    types = _types(len(names), rows())
    schema = pa.schema([pa.field(name, kind) for name, kind in zip(names, types, strict=True)])
    try:
        with parquet.ParquetWriter(target, schema, compression="zstd", compression_level=1) as file:
            for batch in batches(rows()):
                arrays = [_array(cells, kind) for kind, cells in zip(types, zip(*batch), strict=True)]
                file.write_table(pa.Table.from_arrays(arrays, schema=schema))
    except OSError as error:
        raise errors.CannotWrite(
            "the table's copy cannot be written", first=str(target.parent), hint=NO_SPACE
        ) from error
    return str(target)


def batches(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    """The rows, `BATCH` at a time."""
    given = iter(rows)
    while batch := list(itertools.islice(given, BATCH)):
        yield batch


def _types(n_columns: int, rows: Iterable[Sequence[Any]]) -> list[pa.DataType]:
    kinds: list[set[type]] = [set() for _ in range(n_columns)]
    is_large = [False] * n_columns
    for batch in batches(rows):
        for position, cells in enumerate(zip(*batch)):
            found = set(map(type, cells))
            kinds[position] |= found - {type(None)}
            if int in found:
                whole = cells if found == {int} else [cell for cell in cells if type(cell) is int]
                is_large[position] |= not -INT64 <= min(whole) <= max(whole) < INT64
    return [TEXT if large else TYPES.get(frozenset(kind), TEXT) for kind, large in zip(kinds, is_large, strict=True)]


def _array(cells: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if kind == TEXT and not set(map(type, cells)) <= TEXTS:
        cells = list(map(text, cells))
    elif pa.types.is_timestamp(kind):
        cells = list(map(_midnight, cells))
    return pa.array(cells, kind)


def _midnight(cell: Any) -> Any:
    return dt.datetime(cell.year, cell.month, cell.day) if type(cell) is dt.date else cell  # noqa: DTZ001  local as given


def text(cell: Any) -> str | None:
    """One cell as text; whole floats without their ".0", dates as ISO 8601.

    >>> text(13085.0), text("C536379"), text(dt.date(2024, 1, 31)), text(None)
    ('13085', 'C536379', '2024-01-31', None)
    """
    if type(cell) is str or cell is None:
        return cell
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)
