"""What Spark costs on one machine: `tiercast score` on DuckDB and on Spark in local mode, whole processes, same rows.

    python -m benchmarks.spark --customers 200000 1000000

Spark in local mode has no machine that DuckDB has not: the ratio is its overhead, and what a cluster of n such machines
must win back. Memory is what the command and its child processes, Java and Python, hold together at their peak.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import NamedTuple

import psutil

from benchmarks import score_memory
from benchmarks.score_memory import AS_OF, SIZES, TRAINED_ON, Base, OnStep
from tiercast.models import bundle_folder

MASTER, MEMORY = "local[2]", "2GB"
ENGINES = {"duckdb": ("--engine", "duckdb"), "spark": ("--engine", "spark", "--master", MASTER, "--memory", MEMORY)}


class Run(NamedTuple):
    """One run of the command."""

    engine: str
    customers: int
    rows: int
    seconds: float
    peak_gib: float


def measure(sizes: Sequence[int] = SIZES, on_step: OnStep = lambda _: None) -> list[Run]:
    """Score bases of all sizes on both engines, without reasons, once each."""
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as name:
        folder = pathlib.Path(name)
        on_step(f"training on {TRAINED_ON:,} simulated customers")
        sample, _ = score_memory.base(folder, TRAINED_ON)
        bundle_folder.save(score_memory.train_on(sample), folder / "bundle")
        bases = {n: score_memory.base(folder, n) for n in sizes}
        return [_run(folder, engine, n, bases[n], on_step) for n in sizes for engine in ENGINES]


def _run(folder: pathlib.Path, engine: str, n: int, base: Base, on_step: OnStep) -> Run:
    on_step(f"scoring {n:,} customers on {engine}")
    out = folder / ("scores" if engine == "spark" else "scores.parquet")
    command = [sys.executable, "-m", "tiercast.cli", "score", str(base[0]), "--as-of", AS_OF.isoformat()]
    command += ["--bundle", str(folder / "bundle"), "--out", str(out), "--reasons", "none", "--json", *ENGINES[engine]]
    seconds, peak, stdout = _watched(command)
    if json.loads(stdout)["customers"] != n:
        raise RuntimeError(f"not everybody was scored: {stdout[:200]}")
    return Run(engine, n, base[1], seconds, peak)


def _watched(command: Sequence[str]) -> tuple[float, float, str]:
    """Run to the end: seconds, peak resident GiB of the process and its children, stdout."""
    peak, started = 0.0, time.perf_counter()
    with tempfile.TemporaryFile() as output, subprocess.Popen(command, stdout=output) as process:
        while process.poll() is None:
            peak = max(peak, _held(process.pid))
            time.sleep(0.2)
        seconds = time.perf_counter() - started
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
        output.seek(0)
        return seconds, peak, output.read().decode()


def _held(pid: int) -> float:
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        return float(sum(each.memory_info().rss for each in family)) / 2**30
    except psutil.NoSuchProcess:
        return 0.0


def markdown(runs: Sequence[Run]) -> list[str]:
    """The table, and what a customer more costs on each engine."""
    head = ["| customers | rows | engine | seconds | customers per second | peak memory |", "|--:|--:|---|--:|--:|--:|"]
    lines = [
        f"| {r.customers:,} | {r.rows:,} | {r.engine} | {r.seconds:.1f} | {r.customers / r.seconds:,.0f} "
        f"| {r.peak_gib:.1f} GiB |"
        for r in runs
    ]
    return [*head, *lines, "", *(_growth(name, [r for r in runs if r.engine == name]) for name in ENGINES)]


def _growth(engine: str, runs: Sequence[Run]) -> str:
    """From the smallest to the largest base: seconds per further million customers, and what is left for none."""
    small, large = runs[0], runs[-1]
    if small is large:
        return f"{engine}: one size only."
    slope = (large.seconds - small.seconds) / (large.customers - small.customers)
    fixed = small.seconds - slope * small.customers
    return f"{engine}: {fixed:.0f} s to begin with, and {slope * 1e6:.0f} s per million customers on two cores.  "


def main() -> None:
    parser = argparse.ArgumentParser(description="tiercast score on DuckDB and on Spark in local mode.")
    parser.add_argument("--customers", type=int, nargs="+", default=list(SIZES))
    print("\n".join(markdown(measure(parser.parse_args().customers, print))))


if __name__ == "__main__":
    main()
