"""How long `tiercast score` takes and how much memory it needs, as a process of its own, from files to one file.

    python -m benchmarks.score_memory --customers 200000 1000000

The bundle is trained once on a small simulated shop with horizons of 90 days and 100 trees per target; the bases that
are scored come from the same world. Peak memory is the process's high-water mark of resident memory as Linux keeps it, the data engine's included.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks import simulate
from features import reading
from features.engines.duckdb import Engine
from models import bundle_folder
from models.bundle import Bundle
from serving import batch
from training import train
from training.settings import Horizons, Rolling, Settings, Trees

TRAINED_ON = 20_000
SIZES = (200_000, 1_000_000)
AS_OF = dt.date(2024, 1, 1)  # the day after the simulated world ends
LARGEST_GIB = 2.0
TREES = 100  # as many as real shops get (47 to 135); a simulated one, whose closed form is true, would get four
SETTINGS = Settings(
    horizons=Horizons(churn_days=90, value_days=90),
    trees=Trees(rounds_without_folds=TREES),
    rolling=Rolling(bootstrap_draws=20, most_windows=1),
)
Tell = Callable[[str], None]


class Scored(NamedTuple):
    """One run of the command. `peak_gib` is nan where the system does not tell."""

    customers: int
    rows: int
    reasons: str
    seconds: float
    peak_gib: float


class Phases(NamedTuple):
    """Seconds of one run inside this process: until the rows are stored in parts, and then until all is written."""

    customers: int
    reading: float
    scoring: float
    reasons: float


class Measured(NamedTuple):
    runs: tuple[Scored, ...]
    phases: Phases


def measure(sizes: Sequence[int] = SIZES, repeats: int = 1, tell: Tell = lambda _: None) -> Measured:
    """Score bases of all sizes, with and without reasons; medians over `repeats`."""
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as name:
        folder = pathlib.Path(name)
        tell(f"training on {TRAINED_ON:,} simulated customers")
        bundle = folder / "bundle"
        bundle_folder.save(train_on(base(folder, TRAINED_ON)[0]), bundle)
        bases = {n: base(folder, n) for n in sizes}
        runs = []
        for n, (path, rows) in bases.items():
            for reasons in ("none", "all"):
                tell(f"scoring {n:,} customers, reasons {reasons}")
                runs.append(_median([_run(bundle, path, (n, rows), reasons) for _ in range(repeats)]))
        tell(f"phases of {min(sizes):,} customers")
        return Measured(tuple(runs), phases(bundle, bases[min(sizes)][0], min(sizes)))


def base(folder: pathlib.Path, n_customers: int) -> tuple[pathlib.Path, int]:
    """A simulated base as a file, and its number of rows."""
    path = folder / f"{n_customers}.parquet"
    return path, simulate.write(simulate.World(), n_customers, path, seed=n_customers)


def train_on(path: pathlib.Path) -> Bundle:
    with Engine() as engine:
        return train.train(engine, reading.read(engine, reading.Sources(str(path)), AS_OF), SETTINGS).bundle


def phases(bundle: pathlib.Path, path: pathlib.Path, n_customers: int) -> Phases:
    """Where the time goes. What reasons cost is the difference between a run with and a run without them."""
    plain, full = (_phase_times(bundle, path, with_reasons=wanted) for wanted in (False, True))
    return Phases(n_customers, plain[0], plain[1], full[1] - plain[1])


def _phase_times(bundle: pathlib.Path, path: pathlib.Path, *, with_reasons: bool) -> tuple[float, float]:
    started, seen = time.perf_counter(), list[float]()
    loaded, out = bundle_folder.load(bundle), path.with_name("phases.parquet")
    sources = reading.Sources(str(path))
    with Engine() as engine:
        batch.score_all(
            engine,
            loaded,
            sources,
            AS_OF,
            out,
            with_reasons=with_reasons,
            tell=lambda _, __: seen.append(time.perf_counter()),
        )
    return seen[0] - started, time.perf_counter() - seen[0]


def _run(bundle: pathlib.Path, path: pathlib.Path, size: tuple[int, int], reasons: str) -> Scored:
    out = path.with_name("scores.parquet")
    command = [sys.executable, "-m", "tiercast.cli", "score", str(path), "--as-of", AS_OF.isoformat()]
    command += ["--bundle", str(bundle), "--out", str(out), "--reasons", reasons, "--json"]
    seconds, peak, said = watch(command)
    if json.loads(said)["customers"] != size[0]:
        raise RuntimeError(f"not everybody was scored: {said[:200]}")
    return Scored(*size, reasons, seconds, peak)


def watch(command: Sequence[str]) -> tuple[float, float, str]:
    """Run a command to its end: seconds, peak resident memory in GiB, and what it said on stdout.

    The peak is asked for every 20 ms: the high-water mark is gone once the process has ended, and the one that
    `getrusage` keeps for children starts at the size of their parent.
    """
    started, peak = time.perf_counter(), float("nan")
    with tempfile.TemporaryFile() as said, subprocess.Popen(command, stdout=said) as process:
        while process.poll() is None:
            peak = peak_gib(process.pid, peak)
            time.sleep(0.02)
        seconds = time.perf_counter() - started
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
        said.seek(0)
        return seconds, peak, said.read().decode()


def peak_gib(pid: int, before: float) -> float:
    """The largest resident memory the process has had; `before` where it is over or the system does not tell."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return before
    found = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
    return int(found.split()[1]) / 2**20 if found else before


def _median(runs: Sequence[Scored]) -> Scored:
    """The median time of equal runs, and their largest peak."""
    return runs[0]._replace(
        seconds=statistics.median(run.seconds for run in runs), peak_gib=max(run.peak_gib for run in runs)
    )


def markdown(measured: Measured) -> list[str]:
    """The table and the two sentences below it."""
    head = [
        "| customers | rows | reasons | seconds | customers per second | peak memory |",
        "|--:|--:|---|--:|--:|--:|",
    ]
    rows = [
        f"| {r.customers:,} | {r.rows:,} | {r.reasons} | {r.seconds:.1f} | {r.customers / r.seconds:,.0f} | {r.peak_gib:.2f} GiB |"
        for r in measured.runs
    ]
    return [*head, *rows, "", *sentences(measured)]


def sentences(measured: Measured) -> list[str]:
    """What the runs say of growth and of the limit, and where the time goes."""
    smallest, largest = (pick(r.customers for r in measured.runs) for pick in (min, max))
    peak = {n: max(r.peak_gib for r in measured.runs if r.customers == n) for n in (smallest, largest)}
    verdict = "under" if peak[largest] < LARGEST_GIB else "**over**"
    p = measured.phases
    return [
        f"{largest / smallest:.0f} times the customers need {peak[largest] / peak[smallest]:.2f} times the memory; "
        f"{largest:,} customers stay {verdict} {LARGEST_GIB:.0f} GiB.",
        f"Of {p.customers:,} customers: reading and splitting {p.reading:.1f} s, features, scores and writing {p.scoring:.1f} s, "
        f"reasons {p.reasons:.1f} s ({p.customers / p.reasons:,.0f} customers per second).",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory of `tiercast score` on simulated customers.")
    parser.add_argument("--customers", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--repeats", type=int, default=1)
    args = parser.parse_args()
    print("\n".join(markdown(measure(args.customers, args.repeats, print))))


if __name__ == "__main__":
    main()
