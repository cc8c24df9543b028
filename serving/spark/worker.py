"""The code that runs on a worker: unpack the bundle once, score customers, write them as one file.

Workers import this module, so Tiercast must be installed there. It does not import Spark.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import pathlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import compute

from tiercast.contract import files
from tiercast.contract.scores import Reasons
from tiercast.models import bundle as bundles
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving import score
from tiercast.serving.batch import totals
from tiercast.tiers.overrides import Override

PREVIOUS = "previous_tier"
ROWS = 1 << 16
REPORT = pa.schema([("part", pa.int32()), ("file", pa.string()), ("size", pa.int64()), ("totals", pa.string())])
REPORT_DDL = "part int, file string, size bigint, totals string"
_CACHE: dict[bytes, Bundle] = {}


class BundleFiles(NamedTuple):
    """The bundle's files in a Spark broadcast, which is sent to each machine once."""

    broadcast: Any

    def get(self) -> dict[str, bytes]:
        return dict(self.broadcast.value)


class WorkerTask(NamedTuple):
    """The parameters of every worker.

    `by_hand` holds overrides as plain rows; `folder` is where the files go; `run` is part of their names, so that
    runs do not mix.
    """

    files: BundleFiles
    as_of: dt.date
    reasons: Reasons
    by_hand: tuple[tuple[str, str, dt.date], ...]
    folder: str
    run: str


def score_batches(task: WorkerTask, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Score feature batches in their order, in tables of about `ROWS` customers."""
    bundle = bundles.dated(_bundle(task.files.get()), task.as_of)
    by_hand = [Override(*row) for row in task.by_hand]
    for features in _combine(batches):
        previous = _tiers(features[PREVIOUS]) if PREVIOUS in features.column_names else None
        yield score.score(bundle, features, reasons=task.reasons, by_hand=by_hand, previous=previous)


def write(task: WorkerTask, part: int, batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """Write the scores of one part to a file of its own; return its name, its size and its totals per tier.

    A part may be computed more than once, also at the same time; each attempt writes the same rows to another file.
    """
    name = f"{task.run}-{part:05d}-{os.urandom(4).hex()}.part"
    path, added = pathlib.Path(task.folder, name), totals.EMPTY
    schema = score.schema(bundles.dated(_bundle(task.files.get()), task.as_of))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in score_batches(task, batches):
            writer.write_table(table)
            added = totals.add(added, table)
    files.sync(path)
    row = {"part": part, "file": name, "size": path.stat().st_size, "totals": json.dumps(added)}
    return pa.RecordBatch.from_pylist([row], schema=REPORT)


def parse_totals(text: str) -> totals.Totals:
    """The totals of one part from its report."""
    by_tier, n_borderline = json.loads(text)
    return totals.Totals({tier: tuple(row) for tier, row in by_tier.items()}, n_borderline)


def _combine(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Small batches as larger tables, so that the cost of a call does not matter."""
    pending: list[pa.RecordBatch] = []
    for batch in batches:
        pending.append(batch)
        if sum(each.num_rows for each in pending) >= ROWS:
            yield pa.Table.from_batches(pending)
            pending = []
    if pending:
        yield pa.Table.from_batches(pending)


def _tiers(column: pa.ChunkedArray) -> NDArray[np.str_]:
    filled = compute.fill_null(column, "").to_numpy(zero_copy_only=False)
    return np.asarray(filled, dtype="<U1")


def _bundle(packed: Mapping[str, bytes]) -> Bundle:
    """The bundle, unpacked and checked once per process: a worker process serves many parts and jobs."""
    manifest = packed[bundle_folder.MANIFEST]  # it has the hash of every other file
    if manifest not in _CACHE:
        _CACHE.clear()
        with tempfile.TemporaryDirectory(prefix="tiercast-bundle-") as folder:
            for name, content in packed.items():
                pathlib.Path(folder, name).write_bytes(content)
            _CACHE[manifest] = bundle_folder.load(pathlib.Path(folder))
    return _CACHE[manifest]
