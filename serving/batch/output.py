"""The Parquet file that a batch job writes: an unsuitable target is refused early, and rows are appended part by part.

The file appears under its name when it is complete; until then an older file of that name stays (`contract.files`).
"""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from tiercast.contract import errors, files
from tiercast.features.reading import Sources
from tiercast.features.reading import sources as places

Write = Callable[[pa.Table], None]


def check(out: pathlib.Path) -> None:
    """Refuse a target that cannot be written, before any work is done. Raises `CannotWrite`."""
    with files.cannot_write(out):  # also where this user may not look into the folder
        is_folder = out.is_dir()
    if is_folder:
        raise _cannot("the target is a folder", out, "pass a file name: --out scores.parquet")
    if out.suffix != ".parquet":
        raise _cannot("the output is written as Parquet", out, f"pass --out {out.with_suffix('.parquet').name}")
    files.require_writable(out)


def refuse_input(out: pathlib.Path, sources: Sources, option: str = "--out") -> None:
    """Refuse a target among the input files: the output would replace the data. Raises `CannotWrite`."""
    for source in (sources.transactions, sources.customers, sources.interactions, sources.overrides):
        if source is None or "://" in source:
            continue
        inputs = {pathlib.Path(path).resolve() for path in places.find(source).paths}
        folder = pathlib.Path(source).resolve()
        if out.resolve() in inputs or (folder.is_dir() and folder in out.resolve().parents):
            raise _cannot("the target lies in the data that is scored", out, f"pass another place with {option}")


@contextlib.contextmanager
def writer(out: pathlib.Path, schema: pa.Schema) -> Iterator[Write]:
    """Yield a function that appends a table; the file appears when the block ends without an error."""
    with (
        files.write_atomically(out) as part,
        pq.ParquetWriter(part, schema, compression="zstd", use_dictionary=_dictionary_columns(schema)) as file,
    ):
        yield file.write_table


def _dictionary_columns(schema: pa.Schema) -> list[str]:
    """Codes and days. Ids and numbers rarely repeat: trying a dictionary takes longer than writing them."""
    lists = [field.name for field in schema if pa.types.is_list(field.type)]
    codes = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_date(field.type)]
    return [*(name for name in codes if name != "customer_id"), *(f"{name}.list.element" for name in lists)]


def _cannot(what: str, out: pathlib.Path, hint: str) -> errors.CannotWrite:
    return errors.CannotWrite(what, first=str(out), hint=hint)
