"""Writing a score file so that there is an old one, or a new one, and never a half.

Rows go to a hidden neighbour of the target, which takes the target's name once it is complete and
on disk. A run that is killed leaves at most that neighbour, and the next run removes it.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from tiercast.contract import errors
from tiercast.features.reading import Sources
from tiercast.features.reading import sources as places

Write = Callable[[pa.Table], None]


def check(out: pathlib.Path) -> None:
    """Refuse a target that cannot be written before any work is done. Raises `CannotWrite`."""
    with told(out):  # a place that this user may not even look into
        is_folder = out.is_dir()
    if is_folder:
        raise _cannot("the target is a folder", out, "pass a file name: --out scores.parquet")
    if out.suffix != ".parquet":
        raise _cannot("the output is written as Parquet", out, f"pass --out {out.with_suffix('.parquet').name}")
    with told(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        _neighbour(out).touch()
        _neighbour(out).unlink()


def refuse_input(out: pathlib.Path, sources: Sources, option: str = "--out") -> None:
    """Refuse a target among the files that are read: what is written would take the place of the data."""
    for source in (sources.transactions, sources.customers, sources.interactions, sources.overrides):
        if source is None or "://" in source:
            continue
        read = {pathlib.Path(path).resolve() for path in places.find(source).paths}
        folder = pathlib.Path(source).resolve()
        if out.resolve() in read or (folder.is_dir() and folder in out.resolve().parents):
            raise _cannot("the target lies in the data that is scored", out, f"pass another place with {option}")


@contextlib.contextmanager
def writer(out: pathlib.Path, schema: pa.Schema) -> Iterator[Write]:
    """Yields a function that appends a table; the file appears when the block ends without an error."""
    fresh = _neighbour(out)
    try:
        with told(out):
            with pq.ParquetWriter(fresh, schema, compression="zstd", use_dictionary=_repeating(schema)) as file:
                yield file.write_table
            to_disk(fresh)
            fresh.replace(out)
    finally:
        fresh.unlink(missing_ok=True)


def _repeating(schema: pa.Schema) -> list[str]:
    """The columns worth a dictionary: codes and days. Trying one on ids and numbers takes longer than writing them."""
    lists = [field.name for field in schema if pa.types.is_list(field.type)]
    codes = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_date(field.type)]
    return [*(name for name in codes if name != "customer_id"), *(f"{name}.list.element" for name in lists)]


@contextlib.contextmanager
def told(out: pathlib.Path) -> Iterator[None]:
    """Turn an OSError inside the `with` block into `CannotWrite`."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        hint = "check the permissions and the space left there; what was in this place before is unchanged"
        raise _cannot(f"the file cannot be written: {reason}", out, hint) from error


def _neighbour(out: pathlib.Path) -> pathlib.Path:
    return out.with_name(f".{out.name}.part")


def to_disk(path: pathlib.Path) -> None:
    """Come back when the file's content cannot be lost any more."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _cannot(what: str, out: pathlib.Path, hint: str) -> errors.CannotWrite:
    return errors.CannotWrite(what, first=str(out), hint=hint)
