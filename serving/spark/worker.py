"""What a worker does: take the bundle's files once, score the customers it is given, write them as one file.

This module is imported by the workers, so Tiercast must be installed there. It needs no Spark itself.
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

from tiercast.contract.scores import Reasons
from tiercast.models import bundle as bundles
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving import score
from tiercast.serving.batch import totals
from tiercast.tiers.overrides import Override

PREVIOUS = "previous_tier"
AT_ONCE = 1 << 16
TOLD = pa.schema([("part", pa.int32()), ("file", pa.string()), ("size", pa.int64()), ("totals", pa.string())])
TOLD_TO_SPARK = "part int, file string, size bigint, totals string"
_KEPT: dict[bytes, Bundle] = {}


class Sent(NamedTuple):
    """The bundle's files behind one of Spark's broadcasts, which is sent once to each machine."""

    broadcast: Any

    def get(self) -> dict[str, bytes]:
        return dict(self.broadcast.value)


class Job(NamedTuple):
    """What every worker is told.

    `by_hand` holds overrides as plain rows; `folder` is where the files go, `run` keeps them apart from other runs'.
    """

    files: Sent
    as_of: dt.date
    reasons: Reasons
    by_hand: tuple[tuple[str, str, dt.date], ...]
    folder: str
    run: str


def scored(job: Job, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Score tables of at most `AT_ONCE` customers, in the order in which the features come."""
    bundle = bundles.dated(_bundle(job.files.get()), job.as_of)
    by_hand = [Override(*row) for row in job.by_hand]
    for features in _together(batches):
        before = _letters(features[PREVIOUS]) if PREVIOUS in features.column_names else None
        yield score.score(bundle, features, reasons=job.reasons, by_hand=by_hand, previous=before)


def write(job: Job, part: int, batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """Write the scores of one part as a file of its own, and tell its name, its size and the sums of its tiers.

    A part may be computed more than once, also at the same time; each time gives the same rows in another file.
    """
    name = f"{job.run}-{part:05d}-{os.urandom(4).hex()}.parquet"
    path, seen = pathlib.Path(job.folder, name), totals.NOTHING
    schema = score.schema(bundles.dated(_bundle(job.files.get()), job.as_of))
    with path.open("wb") as file:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for table in scored(job, batches):
                writer.write_table(table)
                seen = totals.add(seen, table)
        file.flush()
        os.fsync(file.fileno())
    row = {"part": part, "file": name, "size": path.stat().st_size, "totals": json.dumps(seen)}
    return pa.RecordBatch.from_pylist([row], schema=TOLD)


def totals_of(told: str) -> totals.Totals:
    """The sums of one part, as its worker told them."""
    sums, n_borderline = json.loads(told)
    return totals.Totals({tier: tuple(row) for tier, row in sums.items()}, n_borderline)


def _together(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Small batches as tables large enough that a call's own cost does not matter."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(each.num_rows for each in held) >= AT_ONCE:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _letters(tiers: pa.ChunkedArray) -> NDArray[np.str_]:
    filled = compute.fill_null(tiers, "").to_numpy(zero_copy_only=False)
    return np.asarray(filled, dtype="<U1")


def _bundle(files: Mapping[str, bytes]) -> Bundle:
    """The bundle, unpacked and checked once per process: workers live on between parts and between jobs."""
    manifest = files[bundle_folder.MANIFEST]  # it has the hash of every other file
    if manifest not in _KEPT:
        _KEPT.clear()
        with tempfile.TemporaryDirectory(prefix="tiercast-bundle-") as folder:
            for name, content in files.items():
                pathlib.Path(folder, name).write_bytes(content)
            _KEPT[manifest] = bundle_folder.load(pathlib.Path(folder))
    return _KEPT[manifest]
