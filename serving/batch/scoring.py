"""Score a whole base from files to a file, part by part, so that memory does not grow with the base.

Customers are split by a hash of their id. While the scores of one part are computed on both cores and written, the
engine works out the features of the next. The output appears under its name only when it is complete; a run that is
killed goes on where it was when it is started again (`serving.batch.checkpoint`).
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
from tiercast.serving.batch import checkpoint, identity, output, previous_tiers, totals
from tiercast.serving.batch import incremental as since_last
from tiercast.serving.batch.checkpoint import Kept
from tiercast.serving.batch.incremental import Since, Sums
from tiercast.serving.batch.totals import Totals
from tiercast.tiers.overrides import Override

Tell = Callable[[int, int], None]
ROWS = 1 << 16  # customers scored at once by one thread, and in one row group of the file
AT_ONCE = 2


class Scored(NamedTuple):
    """What was written. `reading` counts what was read and dropped; `resumed` are parts an earlier run had finished.

    `since` says what was kept from the last run, where that was asked for.
    """

    path: pathlib.Path
    reading: Reading
    totals: Totals
    overrides: int
    resumed: int = 0
    since: Since | None = None


class Known(NamedTuple):
    """A part before it is scored; `previous` has a letter per row where last tiers were given."""

    features: pa.Table
    previous: NDArray[np.str_] | None


class Job(NamedTuple):
    """What it takes to score a part."""

    engine: Engine
    bundle: Bundle
    sources: Sources
    read: Reading
    n_parts: int
    reasons: Reasons
    has_previous: bool
    by_hand: tuple[Override, ...]
    pool: ThreadPoolExecutor
    sums: Sums | None


def score_all(
    engine: Engine,
    bundle: Bundle,
    sources: Sources,
    as_of: dt.date,
    out: pathlib.Path,
    *,
    reasons: Reasons = "all",
    last: str | None = None,
    since: pathlib.Path | None = None,
    tell: Tell = lambda done, of: None,
) -> Scored:
    """Write one row per customer known before `as_of` to `out` (Parquet). Raises `BadInput` and its kinds.

    The tiers of `last`, an earlier score file, hold customers near a cut. The same data, bundle, as_of and `last`
    give the same bytes, with `since` and without: a folder of aggregates that `serving.batch.incremental` keeps.
    """
    output.refuse_input(out, sources)
    if since is not None:
        output.refuse_input(since, sources, "--since")
    output.check(out)
    read = reading.read(engine, sources, as_of, is_counted=False)
    dated = bundles.dated(bundle, as_of)
    schema.require(bundle.spec, read.tables)
    n_parts = parts.count(read.report.rows_kept)
    given = {"reasons": reasons, "parts": n_parts, "reading": read.report.as_dict()}
    what = identity.of(dated, sources, last, given)
    with (
        checkpoint.kept(out, score.schema(dated), what, n_parts) as kept,
        _sums(engine, read, sources, dated, since) as sums,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        n_finished = kept.finished
        if n_finished < n_parts:
            _prepare(engine, read, sources, last, n_parts, has_sums=sums is not None)
        by_hand = tuple(Override(*row) for row in overrides.read(engine, sources))
        job = Job(engine, dated, sources, read, n_parts, reasons, last is not None, by_hand, pool, sums)
        seen = _write(job, kept, out, tell)
    return Scored(out, read, seen, len(by_hand), n_finished, sums.said if sums else None)


@contextlib.contextmanager
def _sums(
    engine: Engine, read: Reading, sources: Sources, bundle: Bundle, folder: pathlib.Path | None
) -> Iterator[Sums | None]:
    """What was kept in `folder`, brought to this day; None where no folder is given."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            yield None
            return
        with engine.reading(sources.transactions):
            sums = stack.enter_context(since_last.sums(engine, read, bundle.spec, folder))
        yield sums


def _prepare(
    engine: Engine, read: Reading, sources: Sources, last: str | None, n_parts: int, *, has_sums: bool
) -> None:
    """Have transactions, unless their sums are known, and last tiers ready by part."""
    if not has_sums:
        with engine.reading(sources.transactions):
            parts.split(engine, read.tables, read.report.rows_kept)
    if last is not None:
        previous_tiers.store(engine, last, read.as_of, n_parts)


def _write(job: Job, kept: Kept, out: pathlib.Path, tell: Tell) -> Totals:
    """All parts into one file, in their order."""
    seen = totals.NOTHING
    with output.writer(out, score.schema(job.bundle)) as write:
        for table in _tables(job, kept, tell):
            write(table)
            seen = totals.add(seen, table)
    tell(job.n_parts, job.n_parts)
    return seen


def _tables(job: Job, kept: Kept, tell: Tell) -> Iterator[pa.Table]:
    """The scores in tables of one row group each. The engine is one part ahead, in a thread of its own."""
    with ThreadPoolExecutor(1) as engine:
        due = deque(k for k in range(job.n_parts) if not kept.is_finished(k))
        ahead = engine.submit(_features, job, due.popleft()) if due else None
        for k in range(job.n_parts):
            tell(k, job.n_parts)
            if ahead is None or kept.is_finished(k):
                yield from kept.tables(k, ())
                continue
            known, ahead = ahead.result(), engine.submit(_features, job, due.popleft()) if due else None
            yield from kept.tables(k, _scores(job, known))


def _features(job: Job, k: int) -> Known:
    """The feature table of part `k`, and the last tiers of its customers."""
    with job.engine.reading(job.sources.transactions):
        sums = job.sums.part(k) if job.sums else None
        table = parts.features(job.engine, job.read.tables, job.read.as_of, job.bundle.spec, k, job.n_parts, sums)
    return Known(table, previous_tiers.of_part(job.engine, k, table["customer_id"]) if job.has_previous else None)


def _scores(job: Job, known: Known) -> Iterator[pa.Table]:
    """The scores of a part, `ROWS` customers at a time, computed by two threads and given in their order."""
    waiting: deque[Future[pa.Table]] = deque()
    for start in range(0, max(known.features.num_rows, 1), ROWS):
        waiting.append(job.pool.submit(_score, job, known, start))
        if len(waiting) > AT_ONCE:
            yield waiting.popleft().result()
    yield from (one.result() for one in waiting)


def _score(job: Job, known: Known, start: int) -> pa.Table:
    before = None if known.previous is None else known.previous[start : start + ROWS]
    rows = known.features.slice(start, ROWS)
    return score.score(job.bundle, rows, reasons=job.reasons, by_hand=job.by_hand, previous=before)
