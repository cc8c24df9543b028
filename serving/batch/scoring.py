"""Score a whole base from files to a file, part by part, so that memory does not grow with the base.

Customers are assigned to parts by a hash of their id. While the scores of one part are computed on both cores and
written, the engine computes the features of the next. The output appears under its name when it is complete; a run
that is killed is resumed when it is started again (`serving.batch.checkpoint`).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import pathlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiercast.contract.scores import Reasons
from tiercast.features import parts, reading, schema
from tiercast.features.engines import Engine
from tiercast.features.reading import Reading, Sources, overrides
from tiercast.models import bundle as bundles
from tiercast.models.bundle import Bundle
from tiercast.serving import score
from tiercast.serving.batch import checkpoint, identity, incremental, output, previous_tiers, totals
from tiercast.serving.batch.checkpoint import Checkpoint
from tiercast.serving.batch.incremental import Aggregates, IncrementalReport
from tiercast.serving.batch.totals import Totals
from tiercast.tiers.overrides import Override

OnProgress = Callable[[int, int], None]  # parts finished, parts in all
ROWS = 1 << 16  # customers scored at once by one thread, and in one row group of the file
N_THREADS = 2


class BatchResult(NamedTuple):
    """The written scores. `reading` counts rows read and dropped; `resumed` parts were finished by an earlier run.

    `since` is the report of the incremental update, where one was wanted.
    """

    path: pathlib.Path
    reading: Reading
    totals: Totals
    overrides: int
    resumed: int = 0
    since: IncrementalReport | None = None


class PartInput(NamedTuple):
    """One part before it is scored; `previous` has a tier per row where previous scores are given."""

    features: pa.Table
    previous: NDArray[np.str_] | None


class ScoringRun(NamedTuple):
    """Everything that scoring a part needs."""

    engine: Engine
    bundle: Bundle
    sources: Sources
    read: Reading
    n_parts: int
    reasons: Reasons
    has_previous: bool
    by_hand: tuple[Override, ...]
    pool: ThreadPoolExecutor
    aggregates: Aggregates | None


def score_all(
    engine: Engine,
    bundle: Bundle,
    sources: Sources,
    as_of: dt.date,
    out: pathlib.Path,
    *,
    reasons: Reasons = "all",
    previous: str | None = None,
    since: pathlib.Path | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> BatchResult:
    """Write one row per customer known before `as_of` to `out` (Parquet). Raises `BadInput` and its kinds.

    `previous` is an earlier score file; customers near a cut keep its tiers. `since` is a folder of aggregates that
    `serving.batch.incremental` saves from run to run. The same data, bundle, `as_of` and `previous` give the same
    bytes, with and without `since`.
    """
    output.refuse_input(out, sources)
    if since is not None:
        output.refuse_input(since, sources, "--since")
    output.check(out)
    sources = sources.trained_on(bundle.spec)
    read = reading.read(engine, sources, as_of, is_counted=False)
    dated = bundles.dated(bundle, as_of)
    schema.require(bundle.spec, read.tables)
    n_parts = parts.count(read.report.rows_kept)
    options = {"reasons": reasons, "parts": n_parts, "reading": read.report.as_dict()}
    run_identity = identity.describe(dated, sources, previous, options)
    with (
        checkpoint.resume(out, score.schema(dated), run_identity, n_parts) as resumed,
        _aggregates(engine, read, sources, dated, since) as aggregates,
        ThreadPoolExecutor(N_THREADS) as pool,
    ):
        n_finished = resumed.n_finished
        if n_finished < n_parts:
            _split(engine, read, sources, previous, n_parts, has_aggregates=aggregates is not None)
        by_hand = tuple(Override(*row) for row in overrides.read(engine, sources))
        has_previous = previous is not None
        run = ScoringRun(engine, dated, sources, read, n_parts, reasons, has_previous, by_hand, pool, aggregates)
        written = _write(run, resumed, out, on_progress)
    return BatchResult(out, read, written, len(by_hand), n_finished, aggregates.report if aggregates else None)


@contextlib.contextmanager
def _aggregates(
    engine: Engine, read: Reading, sources: Sources, bundle: Bundle, folder: pathlib.Path | None
) -> Iterator[Aggregates | None]:
    """The saved aggregates, updated to this day; None without a folder."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            yield None
            return
        with engine.reading(sources.transactions):
            aggregates = stack.enter_context(incremental.update(engine, read, bundle.spec, folder))
        yield aggregates


def _split(
    engine: Engine, read: Reading, sources: Sources, previous: str | None, n_parts: int, *, has_aggregates: bool
) -> None:
    """Store by part the transactions, unless their aggregates are known, and the previous tiers."""
    if not has_aggregates:
        with engine.reading(sources.transactions):
            parts.split(engine, read.tables, read.report.rows_kept)
    if previous is not None:
        previous_tiers.store(engine, previous, read.as_of, n_parts)


def _write(run: ScoringRun, resumed: Checkpoint, out: pathlib.Path, on_progress: OnProgress) -> Totals:
    """Write all parts in their order into one file."""
    added = totals.EMPTY
    with output.writer(out, score.schema(run.bundle)) as write:
        for table in _tables(run, resumed, on_progress):
            write(table)
            added = totals.add(added, table)
    on_progress(run.n_parts, run.n_parts)
    return added


def _tables(run: ScoringRun, resumed: Checkpoint, on_progress: OnProgress) -> Iterator[pa.Table]:
    """The scores in tables of one row group each. A thread of its own computes features one part ahead."""
    with ThreadPoolExecutor(1) as engine:
        todo = deque(k for k in range(run.n_parts) if not resumed.is_finished(k))
        ahead = engine.submit(_features, run, todo.popleft()) if todo else None
        for k in range(run.n_parts):
            on_progress(k, run.n_parts)
            if ahead is None or resumed.is_finished(k):
                yield from resumed.tables(k, ())
                continue
            part, ahead = ahead.result(), engine.submit(_features, run, todo.popleft()) if todo else None
            yield from resumed.tables(k, _scores(run, part))


def _features(run: ScoringRun, k: int) -> PartInput:
    """The feature table of part `k`, and the previous tiers of its customers."""
    with run.engine.reading(run.sources.transactions):
        saved = run.aggregates.part(k) if run.aggregates else None
        table = parts.features(run.engine, run.read.tables, run.read.as_of, run.bundle.spec, k, run.n_parts, saved)
    return PartInput(table, previous_tiers.align(run.engine, k, table["customer_id"]) if run.has_previous else None)


def _scores(run: ScoringRun, part: PartInput) -> Iterator[pa.Table]:
    """The scores of a part in order, `ROWS` customers at a time, computed by `N_THREADS` threads."""
    pending: deque[Future[pa.Table]] = deque()
    for start in range(0, max(part.features.num_rows, 1), ROWS):
        pending.append(run.pool.submit(_score, run, part, start))
        if len(pending) > N_THREADS:
            yield pending.popleft().result()
    yield from (future.result() for future in pending)


def _score(run: ScoringRun, part: PartInput, start: int) -> pa.Table:
    previous = None if part.previous is None else part.previous[start : start + ROWS]
    rows = part.features.slice(start, ROWS)
    return score.score(run.bundle, rows, reasons=run.reasons, by_hand=run.by_hand, previous=previous)
