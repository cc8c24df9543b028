"""A checkpoint keeps the finished parts of a run beside its target, so that a run that was killed can be resumed.

    .scores.parquet.run/        hidden neighbour of scores.parquet, deleted when the run is complete
        run.json                identity of the run: data, bundle, day, options, versions
        00000.arrow, ...        scores of the finished parts, each written whole or not at all
        lock                    held by the run that writes to this target

Parts of a run with another identity are deleted. A second run to the same target is refused.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
from pyarrow import ipc

from tiercast.contract import errors, files

IDENTITY, LOCK = "run.json", "lock"
_FAST = ipc.IpcWriteOptions(compression="lz4")


class Checkpoint:
    """The finished parts of one run. A run of a single part has nothing to resume from, and keeps none."""

    def __init__(self, folder: pathlib.Path, schema: pa.Schema, n_parts: int) -> None:
        self.folder, self.schema, self.n_parts = folder, schema, n_parts

    @property
    def n_finished(self) -> int:
        """How many parts need no computing."""
        return sum(self.is_finished(k) for k in range(self.n_parts))

    def is_finished(self, k: int) -> bool:
        return self._file(k).exists()

    def tables(self, k: int, computed: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The tables of part `k`: read from its file if it is finished, else computed and kept."""
        if self.is_finished(k):
            return self._read(k)
        return self._keep(k, computed) if self.n_parts > 1 else iter(computed)

    def _file(self, k: int) -> pathlib.Path:
        return self.folder / f"{k:05}.arrow"

    def _keep(self, k: int, computed: Iterable[pa.Table]) -> Iterator[pa.Table]:
        with (
            files.write_atomically(self._file(k), durable=False) as part,
            pa.OSFile(str(part), "wb") as file,
            ipc.new_file(file, self.schema, options=_FAST) as kept,
        ):
            for table in computed:
                kept.write_table(table.combine_chunks())
                yield table

    def _read(self, k: int) -> Iterator[pa.Table]:
        with pa.OSFile(str(self._file(k))) as file:
            batches = ipc.open_file(file)
            for number in range(batches.num_record_batches):
                yield pa.Table.from_batches([batches.get_batch(number)], self.schema)


@contextlib.contextmanager
def resume(out: pathlib.Path, schema: pa.Schema, identity: Mapping[str, Any], n_parts: int) -> Iterator[Checkpoint]:
    """Yield the checkpoint of an earlier run with the same identity, or an empty one; deleted when the block succeeds.

    Raises `CannotWrite` where another run is writing to `out`.
    """
    folder = out.with_name(f".{out.name}.run")
    hint = "wait until it has ended, or pass another --out"
    busy = errors.CannotWrite("another run is writing here", first=str(out), hint=hint)
    with files.exclusive_lock(folder / LOCK, busy=busy):
        with files.cannot_write(out):
            _delete_other_run(folder, identity)
        checkpoint, is_complete = Checkpoint(folder, schema, n_parts), False
        try:
            yield checkpoint
            is_complete = True
        finally:
            if is_complete or not checkpoint.n_finished:
                shutil.rmtree(folder, ignore_errors=True)


def _delete_other_run(folder: pathlib.Path, identity: Mapping[str, Any]) -> None:
    """Delete the parts unless they belong to the run with this identity."""
    file, text = folder / IDENTITY, json.dumps(identity, sort_keys=True, default=str)
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return
    for other in folder.iterdir():
        if other.name != LOCK:
            other.unlink()
    with files.write_atomically(file, durable=False) as part:
        part.write_text(text, encoding="utf-8")
