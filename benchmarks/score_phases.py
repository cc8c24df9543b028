"""Where the time of `tiercast score` goes: its phases one after the other, each beside what bounds it.

    python -m benchmarks.score_phases BUNDLE BASE.parquet

The command overlaps them (two threads score while a third writes, and the engine is one part ahead), so it takes less
than their sum. The bounds are measured in the same process: the engine reading the three columns, LightGBM's own
predictions and contributions for the same rows, and writing the same bytes to the disk.
"""

from __future__ import annotations

import datetime as dt
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from tiercast.contract.scores import Reasons
from tiercast.features import parts, reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.models import bundle_folder, predict
from tiercast.models import frame as frames
from tiercast.models.bundle import Bundle
from tiercast.models.frame import Frame
from tiercast.models.trees.boosted import BoostedTrees
from tiercast.serving import score
from tiercast.serving.batch import output, scoring

CONTRIBUTIONS_OF = 10_000  # LightGBM's own take a minute per million
Answer = TypeVar("Answer")


class Phase(NamedTuple):
    """Seconds of a phase and of what bounds it from below; `bound` says what that is."""

    name: str
    seconds: float
    bound: str
    bound_seconds: float


def measure(bundle: pathlib.Path, base: pathlib.Path, as_of: dt.date) -> list[Phase]:
    """All customers of a base that fits into one part, on one core where the work is ours."""
    trained = bundle_folder.load(bundle)
    with DuckDBEngine() as engine:
        scan, _ = clock(lambda: engine.con.to_pyarrow(_scan(engine, base)))
        read_in, read = clock(lambda: reading.read(engine, reading.Sources(str(base)), as_of, is_counted=False))
        built_in, features = clock(lambda: parts.features(engine, read.tables, as_of, trained.spec, 0, 1))
    frame = predict.with_views(trained, frames.from_arrow(features, trained.spec.names))
    scored_in, tables = clock(lambda: _scored(trained, features, "none"))
    reasons_in, tables = clock(lambda: _scored(trained, features, "all"))
    with tempfile.TemporaryDirectory(dir=base.parent) as folder:
        out = pathlib.Path(folder, "scores.parquet")
        written_in, _ = clock(lambda: _write(trained, tables, out))
        disk, _ = clock(lambda: _copy(out))
    trees = _trees(trained)
    theirs, shap = _lightgbm(trees, frame)
    return [
        Phase("read and judge the rows", read_in, "the engine's scan of three columns", scan),
        Phase("features", built_in, "the same scan", scan),
        Phase("scores without reasons", scored_in, "LightGBM's own predict, two threads", theirs),
        Phase("reasons", reasons_in - scored_in, "LightGBM's own pred_contrib, two threads", shap),
        Phase("write", written_in, "the same bytes to disk", disk),
    ]


def clock(job: Callable[[], Answer]) -> tuple[float, Answer]:
    started = time.perf_counter()
    answer = job()
    return time.perf_counter() - started, answer


def _scan(engine: DuckDBEngine, base: pathlib.Path) -> ibis.Table:
    rows = engine.parquet([str(base)])
    return rows.aggregate(last=rows.ordered_at.max(), money=rows.amount.sum(), ids=rows.customer_id.length().sum())


def _scored(bundle: Bundle, features: pa.Table, reasons: Reasons) -> list[pa.Table]:
    starts = range(0, features.num_rows, scoring.ROWS)
    return [score.score(bundle, features.slice(start, scoring.ROWS), reasons=reasons) for start in starts]


def _write(bundle: Bundle, tables: list[pa.Table], out: pathlib.Path) -> None:
    with output.writer(out, score.schema(bundle)) as write:
        for table in tables:
            write(table)


def _copy(out: pathlib.Path) -> None:
    copy, content = out.with_suffix(".copy"), out.read_bytes()
    with copy.open("wb") as file:
        file.write(content)
        os.fsync(file.fileno())


def _trees(bundle: Bundle) -> BoostedTrees:
    if bundle.churn.stack.trees is None:
        raise ValueError("the bundle has no trees to compare with")
    return bundle.churn.stack.trees


def _lightgbm(trees: BoostedTrees, frame: Frame) -> tuple[float, float]:
    """LightGBM's predictions for all, and its contributions for all, taken from those of a few."""
    table = frames.matrix(frame, trees.names)
    booster = trees.booster
    n = min(CONTRIBUTIONS_OF, len(table))
    predicted, _ = clock(lambda: booster.predict(table, raw_score=True))
    shap, _ = clock(lambda: booster.predict(table[:n], pred_contrib=True))
    return predicted, shap * len(table) / n


def markdown(phases: list[Phase]) -> list[str]:
    head = ["| phase, one after the other | seconds | bounded by | seconds |", "|---|--:|---|--:|"]
    return [*head, *(f"| {p.name} | {p.seconds:.2f} | {p.bound} | {p.bound_seconds:.2f} |" for p in phases)]


def main() -> None:
    bundle, base = (pathlib.Path(given) for given in sys.argv[1:3])
    rows = pq.ParquetFile(base).metadata.num_rows
    print(f"{rows:,} rows", *markdown(measure(bundle, base, dt.date(2024, 1, 1))), sep="\n")


if __name__ == "__main__":
    main()
