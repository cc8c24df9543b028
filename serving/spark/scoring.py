"""Score a whole base on Spark: features are built where the rows are, and scored there.

One customer's rows lie with one worker; each worker has the bundle once; what comes to the driver is one line per part.
"""

from __future__ import annotations

import datetime as dt
import pathlib
import uuid
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.taskcontext import TaskContext

from tiercast.contract.scores import Reasons
from tiercast.features import build, parts, reading, schema
from tiercast.features.engines.spark import Engine
from tiercast.features.reading import Reading, Sources
from tiercast.features.reading import overrides as overrides_table
from tiercast.models import bundle as bundles
from tiercast.models.bundle import Bundle
from tiercast.serving import score
from tiercast.serving.batch import previous_tiers, totals
from tiercast.serving.batch.scoring import Scored, Tell
from tiercast.serving.spark import ddl, progress, worker
from tiercast.serving.spark import folder as folders
from tiercast.serving.spark.worker import Job, Sent
from tiercast.tiers import overrides
from tiercast.tiers.overrides import Override


class _Prepared(NamedTuple):
    """The features as a data frame, customers of one part in the order of their ids, and what the workers are told."""

    features: DataFrame
    job: Job
    reading: Reading
    n_parts: int


def score_all(
    engine: Engine,
    bundle: Bundle,
    files: Mapping[str, bytes],
    sources: Sources,
    as_of: dt.date,
    out: pathlib.Path,
    *,
    reasons: Reasons = "all",
    last: str | None = None,
    tell: Tell = lambda done, of: None,
) -> Scored:
    """Write one row per customer known before `as_of` to the folder `out/as_of=...`. Raises `BadInput` and its kinds.

    `files` are those of `bundle` (see `bundle_folder.packed`). The rows are those of `serving.batch.scoring.score_all`.
    """
    folders.check(out, as_of, sources)
    with folders.writing(out, as_of) as fresh, engine.reading(sources.transactions):
        made = _prepare(engine, bundle, files, sources, as_of, reasons, last, str(fresh.absolute()))
        job = made.job

        def write(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
            task = TaskContext.get()
            yield worker.write(job, task.partitionId() if task else 0, batches)

        told = made.features.mapInArrow(write, worker.TOLD_TO_SPARK)
        with progress.watching(engine.session, tell, made.n_parts):
            rows = sorted(told.toArrow().to_pylist(), key=lambda row: int(row["part"]))
        files_written = {f"part-{row['part']:05d}.parquet": (row["file"], row["size"]) for row in rows}
        folders.publish(out, as_of, fresh, files_written)
    seen = totals.NOTHING
    for row in rows:
        seen = totals.together(seen, worker.totals_of(row["totals"]))
    return Scored(folders.day(out, as_of), made.reading, seen, len(job.by_hand))


def frame(
    engine: Engine,
    bundle: Bundle,
    files: Mapping[str, bytes],
    sources: Sources,
    as_of: dt.date,
    *,
    reasons: Reasons = "all",
    last: str | None = None,
) -> DataFrame:
    """The same scores as a data frame of Spark's, to be written as Spark writes: Delta, a table, an object store."""
    made = _prepare(engine, bundle, files, sources, as_of, reasons, last, "")
    job = made.job

    def scored(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        for table in worker.scored(job, batches):
            yield from table.to_batches()

    return made.features.mapInArrow(scored, ddl.of(score.schema(bundles.dated(bundle, as_of))))


def _prepare(
    engine: Engine,
    bundle: Bundle,
    files: Mapping[str, bytes],
    sources: Sources,
    as_of: dt.date,
    reasons: Reasons,
    last: str | None,
    folder: str,
) -> _Prepared:
    read = reading.read(engine, sources, as_of, is_counted=False)
    bundles.dated(bundle, as_of)
    schema.require(bundle.spec, read.tables)
    by_hand = tuple((row.customer_id, row.tier, row.until) for row in overrides_table.read(engine, sources))
    overrides.apply(np.array([], dtype="<U1"), [], [Override(*row) for row in by_hand], as_of)  # to refuse them now
    n_parts = max(parts.count(read.report.rows_kept), engine.parallelism)
    engine.store(parts.KNOWN, read.tables.transactions, n_parts)
    known = build.build(read.tables._replace(transactions=engine.whole(parts.KNOWN)), as_of, bundle.spec)
    if last is not None:
        before = previous_tiers.open_last(engine, last, as_of).table
        known = known.left_join(before.select("customer_id", **{worker.PREVIOUS: before.tier}), "customer_id")
        known = known.drop("customer_id_right")
    features = engine.frame(known).repartition(n_parts, "customer_id").sortWithinPartitions("customer_id")
    sent = engine.session.sparkContext.broadcast(dict(files))
    job = Job(Sent(sent), as_of, reasons, by_hand, folder, uuid.uuid4().hex[:8])
    return _Prepared(features, job, read, n_parts)
