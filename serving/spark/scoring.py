"""Score a whole base on Spark: features are built where the rows are, and scored there.

All rows of a customer lie with one worker. Each worker receives the bundle once; the driver receives one row per part.
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
from tiercast.features.engines.spark import SparkEngine
from tiercast.features.reading import Reading, Sources
from tiercast.features.reading import overrides as overrides_table
from tiercast.models import bundle as bundles
from tiercast.models.bundle import Bundle
from tiercast.serving import score
from tiercast.serving.batch import previous_tiers, totals
from tiercast.serving.batch.scoring import BatchResult, OnProgress
from tiercast.serving.spark import ddl, progress, worker
from tiercast.serving.spark import folder as folders
from tiercast.serving.spark.folder import PartFile
from tiercast.serving.spark.worker import BundleFiles, WorkerTask
from tiercast.tiers import overrides
from tiercast.tiers.overrides import Override


class _Prepared(NamedTuple):
    """The features as a data frame, each part sorted by customer id, and the parameters of the workers."""

    features: DataFrame
    task: WorkerTask
    reading: Reading
    n_parts: int


def score_all(
    engine: SparkEngine,
    bundle: Bundle,
    files: Mapping[str, bytes],
    sources: Sources,
    as_of: dt.date,
    out: pathlib.Path,
    *,
    reasons: Reasons = "all",
    previous: str | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> BatchResult:
    """Write one row per customer known before `as_of` to the folder `out/day=...`. Raises `BadInput` and its kinds.

    `files` are those of `bundle` (see `bundle_folder.packed`). The rows are those of `serving.batch.scoring.score_all`.
    """
    folders.check(out, as_of, sources)
    with folders.worker_folder(out, as_of) as folder, engine.reading(sources.transactions):
        prepared = _prepare(engine, bundle, files, sources, as_of, reasons, previous, str(folder.absolute()))
        task = prepared.task

        def write(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
            context = TaskContext.get()
            yield worker.write(task, context.partitionId() if context else 0, batches)

        report = prepared.features.mapInArrow(write, worker.REPORT_DDL)
        with progress.watch(engine.session, on_progress, prepared.n_parts):
            rows = sorted(report.toArrow().to_pylist(), key=lambda row: int(row["part"]))
        written = {f"part-{row['part']:05d}.parquet": PartFile(row["file"], row["size"]) for row in rows}
        folders.publish(out, as_of, folder, written)
    added = totals.EMPTY
    for row in rows:
        added = totals.merge(added, worker.parse_totals(row["totals"]))
    return BatchResult(folders.day(out, as_of), prepared.reading, added, len(task.by_hand))


def frame(
    engine: SparkEngine,
    bundle: Bundle,
    files: Mapping[str, bytes],
    sources: Sources,
    as_of: dt.date,
    *,
    reasons: Reasons = "all",
    previous: str | None = None,
) -> DataFrame:
    """The same scores as a Spark data frame, for Spark's own writers: Delta, a table, an object store."""
    prepared = _prepare(engine, bundle, files, sources, as_of, reasons, previous, "")
    task = prepared.task

    def score_rows(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        for table in worker.score_batches(task, batches):
            yield from table.to_batches()

    return prepared.features.mapInArrow(score_rows, ddl.from_arrow(score.schema(bundles.dated(bundle, as_of))))


def _prepare(
    engine: SparkEngine,
    bundle: Bundle,
    files: Mapping[str, bytes],
    sources: Sources,
    as_of: dt.date,
    reasons: Reasons,
    previous: str | None,
    folder: str,
) -> _Prepared:
    sources = sources.trained_on(bundle.spec)
    read = reading.read(engine, sources, as_of, is_counted=False)
    bundles.dated(bundle, as_of)
    schema.require(bundle.spec, read.tables)
    by_hand = tuple((row.customer_id, row.tier, row.until) for row in overrides_table.read(engine, sources))
    overrides.apply(np.array([], dtype="<U1"), [], [Override(*row) for row in by_hand], as_of)  # refuses wrong tiers
    n_parts = max(parts.count(read.report.rows_kept), engine.parallelism)
    engine.store(parts.KNOWN, read.tables.transactions, n_parts)
    table = build.build(read.tables._replace(transactions=engine.whole(parts.KNOWN)), as_of, bundle.spec)
    if previous is not None:
        before = previous_tiers.open_previous(engine, previous, as_of).table
        table = table.left_join(before.select("customer_id", **{worker.PREVIOUS: before.tier}), "customer_id")
        table = table.drop("customer_id_right")
    features = engine.frame(table).repartition(n_parts, "customer_id").sortWithinPartitions("customer_id")
    broadcast = engine.session.sparkContext.broadcast(dict(files))
    task = WorkerTask(BundleFiles(broadcast), as_of, reasons, by_hand, folder, uuid.uuid4().hex[:8])
    return _Prepared(features, task, read, n_parts)
