"""The file formats of scores: Parquet, and CSV for people, chosen by the ending of the name.

A CSV file has the contract's columns and rows, without what Parquet says of them: day, model and the meaning of each
column. `--previous`, `moves` and `publish` need that, so they take Parquet.
"""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from tiercast.serving import csv_cells

Write = Callable[[pa.Table], None]
PARQUET, CSV, CSV_GZ = ".parquet", ".csv", ".csv.gz"
ENDINGS = (PARQUET, CSV, CSV_GZ)


def ending(out: pathlib.Path) -> str | None:
    """The ending among `ENDINGS` that the name has, in either case; None for another.

    >>> ending(pathlib.Path("Scores.CSV")), ending(pathlib.Path("scores.csv.gz")), ending(pathlib.Path("scores.xlsx"))
    ('.csv', '.csv.gz', None)
    """
    return next((each for each in ENDINGS if out.name.lower().endswith(each)), None)


def writer(part: pathlib.Path, schema: pa.Schema, ending: str) -> contextlib.AbstractContextManager[Write]:
    """A function that appends a table to the file `part`, whatever that is called, in the format of `ending`."""
    if ending == PARQUET:
        return _parquet(part, schema)
    return _csv(part, schema, "gzip" if ending == CSV_GZ else None)


@contextlib.contextmanager
def _parquet(part: pathlib.Path, schema: pa.Schema) -> Iterator[Write]:
    with pq.ParquetWriter(part, schema, compression="zstd", use_dictionary=_dictionary_columns(schema)) as file:
        yield file.write_table


@contextlib.contextmanager
def _csv(part: pathlib.Path, schema: pa.Schema, compression: str | None) -> Iterator[Write]:
    cells = csv_cells.table(schema.empty_table()).schema
    with pa.output_stream(str(part), compression=compression) as stream:
        stream.write(csv_cells.header(schema.names))
        with csv.CSVWriter(stream, cells, write_options=csv_cells.ROWS_ONLY) as file:
            yield lambda table: file.write_table(csv_cells.table(_of_schema(table, schema)))


def _of_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table, as Parquet's writer takes it; `ValueError` where its columns are others."""
    if not table.schema.equals(schema):
        raise ValueError(f"the table's schema does not match the file's: {table.schema} and {schema}")
    return table


def _dictionary_columns(schema: pa.Schema) -> list[str]:
    """Codes and days. Ids and numbers rarely repeat: trying a dictionary takes longer than writing them."""
    lists = [field.name for field in schema if pa.types.is_list(field.type)]
    codes = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_date(field.type)]
    return [*(name for name in codes if name != "customer_id"), *(f"{name}.list.element" for name in lists)]
