"""Cells of a CSV file that people open in a spreadsheet: none of them is run as a formula.

A text that begins like a formula gets an apostrophe in front, which spreadsheets take as "this is text". That changes
such an id, so programs should take Parquet. Numbers, days and truth values stay as they are: -7.5 is no formula.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from pyarrow import compute, csv

FORMULA = "^[=+\\-@\t\r\n＝＋－＠]"
BETWEEN = "; "
ROWS_ONLY = csv.WriteOptions(include_header=False)


def header(names: Iterable[str]) -> bytes:
    """The first line, for names of columns that are ours and need no quotes."""
    return f"{','.join(names)}\n".encode()


def harmless(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Texts that no spreadsheet takes for a formula.

    >>> harmless(pa.array(["c-1", "=1+1", "-7", None])).to_pylist()
    ['c-1', "'=1+1", "'-7", None]
    """
    marked = compute.binary_join_element_wise("'", texts, "")
    return compute.if_else(compute.match_substring_regex(texts, FORMULA), marked, texts)


def table(columns: pa.Table | pa.RecordBatch) -> pa.Table:
    """The same rows as cells: lists joined by `BETWEEN`, and texts that are harmless.

    >>> table(pa.table({"id": ["-7"], "value": [-7.0], "reasons": [["a", "b"]]})).to_pylist()
    [{'id': "'-7", 'value': -7.0, 'reasons': 'a; b'}]
    """
    return pa.table([_cells(column) for column in columns.columns], names=columns.schema.names)


def _cells(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    if pa.types.is_list(column.type):
        column = compute.binary_join(column, BETWEEN)
    return harmless(column) if pa.types.is_string(column.type) else column
