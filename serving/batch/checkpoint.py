"""Finished parts of a run, kept beside its target until it is complete: a run that was killed goes on where it was.

    .scores.parquet.run/        hidden neighbour of scores.parquet, gone when the run is complete
        run.json                what is being scored: data, bundle, day, options, versions
        00000.arrow, ...        the scores of the parts that are finished, each written whole or not at all

Parts of a run over other data, another bundle, other options or another version are thrown away. Who runs first holds
the place; a second run to the same target is refused instead of mixing with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import pathlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
from pyarrow import ipc

from tiercast.contract import errors
from tiercast.serving.batch import output

WHAT, LOCK = "run.json", "lock"
_QUICK = ipc.IpcWriteOptions(compression="lz4")


class Kept:
    """The finished parts of one run; with one part only there is nothing to go on from, and none is kept."""

    def __init__(self, folder: pathlib.Path, schema: pa.Schema, n_parts: int) -> None:
        self.folder, self.schema, self.n_parts = folder, schema, n_parts

    @property
    def finished(self) -> int:
        """How many parts need no computing."""
        return sum(self.is_finished(k) for k in range(self.n_parts))

    def is_finished(self, k: int) -> bool:
        return self._file(k).exists()

    def tables(self, k: int, computed: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The tables of part `k`: those of its file if it is finished, else those computed, which are kept."""
        if self.is_finished(k):
            return self._read(k)
        return self._keep(k, computed) if self.n_parts > 1 else iter(computed)

    def _file(self, k: int) -> pathlib.Path:
        return self.folder / f"{k:05}.arrow"

    def _keep(self, k: int, computed: Iterable[pa.Table]) -> Iterator[pa.Table]:
        fresh = self._file(k).with_suffix(".part")
        with pa.OSFile(str(fresh), "wb") as file, ipc.new_file(file, self.schema, options=_QUICK) as kept:
            for table in computed:
                kept.write_table(table.combine_chunks())
                yield table
        fresh.replace(self._file(k))

    def _read(self, k: int) -> Iterator[pa.Table]:
        with pa.OSFile(str(self._file(k))) as file:
            batches = ipc.open_file(file)
            for number in range(batches.num_record_batches):
                yield pa.Table.from_batches([batches.get_batch(number)], self.schema)


@contextlib.contextmanager
def kept(out: pathlib.Path, schema: pa.Schema, what: Mapping[str, Any], n_parts: int) -> Iterator[Kept]:
    """The parts kept for `out` by an earlier run of the same `what`, or none; gone when the block ends well.

    Raises `CannotWrite` when another run is writing to `out`.
    """
    folder = out.with_name(f".{out.name}.run")
    with contextlib.ExitStack() as stack:
        with output.told(out):
            folder.mkdir(exist_ok=True)
            hold(stack.enter_context((folder / LOCK).open("wb")).fileno(), out, "pass another --out")
            _start_over_unless(folder, what)
        parts, is_done = Kept(folder, schema, n_parts), False
        try:
            yield parts
            is_done = True
        finally:
            if is_done or not parts.finished:
                shutil.rmtree(folder, ignore_errors=True)


def fingerprint(files: Iterable[pathlib.Path]) -> str:
    """A short text that changes when a file is replaced, added, removed or written to: of paths, sizes and times."""
    seen = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def hold(lock: int, place: pathlib.Path, instead: str) -> None:
    """Have the open file `lock` for oneself until it is closed. Raises `CannotWrite` where another run has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        hint = f"wait until it has ended, or {instead}"
        raise errors.CannotWrite("another run is writing here", first=str(place), hint=hint) from error


def _start_over_unless(folder: pathlib.Path, what: Mapping[str, Any]) -> None:
    """Throw the parts away unless they are of the same run."""
    said, wanted = folder / WHAT, json.dumps(what, sort_keys=True, default=str)
    if said.exists() and said.read_text(encoding="utf-8") == wanted:
        return
    for file in folder.iterdir():
        if file.name != LOCK:
            file.unlink()
    fresh = said.with_suffix(".part")
    fresh.write_text(wanted, encoding="utf-8")
    fresh.replace(said)
