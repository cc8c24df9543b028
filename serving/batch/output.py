"""The file that a batch job writes: an unsuitable target is refused early, and rows are appended part by part.

The file appears under its name when it is complete; until then an older file of that name stays (`contract.files`).
"""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator

import pyarrow as pa

from tiercast.contract import errors, files
from tiercast.features.reading import Sources
from tiercast.features.reading import sources as source_files
from tiercast.serving.batch import export
from tiercast.serving.batch.export import Write


def check(out: pathlib.Path) -> None:
    """Refuse a target that cannot be written, before any work is done. Raises `CannotWrite`."""
    with files.cannot_write(out):  # also where this user may not look into the folder
        is_folder = out.is_dir()
    if is_folder:
        raise _cannot("the target is a folder", out, "pass a file name: --out scores.parquet")
    if export.ending(out) is None:
        hint = f"pass --out {out.with_suffix('.parquet').name}, or a name that ends in .csv or .csv.gz"
        raise _cannot("the output is written as Parquet or CSV", out, hint)
    files.require_writable(out)


def refuse_input(out: pathlib.Path, sources: Sources, option: str = "--out") -> None:
    """Refuse a target among the input files: the output would replace the data. Raises `CannotWrite`."""
    for place, inputs in local_inputs(sources):
        if out.resolve() in inputs or (place.is_dir() and place in out.resolve().parents):
            raise _cannot("the target lies in the data that is scored", out, f"pass another place with {option}")


def local_inputs(sources: Sources) -> Iterator[tuple[pathlib.Path, set[pathlib.Path]]]:
    """Per source on this machine: its path, such as a folder or a glob, and its files."""
    for source in (sources.transactions, sources.customers, sources.interactions, sources.overrides):
        if source is not None and "://" not in source:
            paths = source_files.find(source).paths
            yield pathlib.Path(source).resolve(), {pathlib.Path(path).resolve() for path in paths}


@contextlib.contextmanager
def writer(out: pathlib.Path, schema: pa.Schema) -> Iterator[Write]:
    """Yield a function that appends a table; the file appears when the block ends without an error."""
    with (
        files.write_atomically(out) as part,
        export.writer(part, schema, export.ending(out) or export.PARQUET) as write,
    ):
        yield write


def _cannot(what: str, out: pathlib.Path, hint: str) -> errors.CannotWrite:
    return errors.CannotWrite(what, first=str(out), hint=hint)
