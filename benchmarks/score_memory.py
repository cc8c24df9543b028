"""How long `tiercast score` takes and how much memory it needs, as a process of its own, from files to one file.

    python -m benchmarks.score_memory --customers 200000 1000000

The bundle is trained once on a small simulated shop with horizons of 90 days and 100 trees; the bases that are scored
come from the same world. The other side scores the largest one too: the usual script as it mostly is, and in full, with
the columns that we write. Peak memory is the process's high-water mark of resident memory as Linux keeps it, the data
engine's included.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from benchmarks import score_phases, simulate
from benchmarks.score_phases import Phase
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.training import train
from tiercast.training.settings import Horizons, Rolling, Settings

TRAINED_ON = 20_000
SIZES = (100_000, 1_000_000)
AS_OF = dt.date(2024, 1, 1)  # the day after the simulated world ends
LARGEST_GIB = 2.0
LARGEST_USUAL = 1_000_000  # customers: the usual script holds all of them in memory
KINDS = ("none", "risky", "all")
SETTINGS = Settings(
    horizons=Horizons(churn_days=90, value_days=90),
    rolling=Rolling(bootstrap_draws=20, most_windows=1),
)
OnStep = Callable[[str], None]
Base = tuple[pathlib.Path, int]  # the file and its number of rows


class Rival(NamedTuple):
    """A script of the other side; `folder` holds what it learned, `like` names our runs with the same output."""

    name: str
    module: str
    folder: str
    flags: tuple[str, ...] = ()
    like: str | None = None

    def command(self, what: str, folder: pathlib.Path, data: pathlib.Path, *out: pathlib.Path) -> list[str]:
        places = [str(path) for path in (data, folder / self.folder, *out)]
        return [sys.executable, "-m", self.module, what, *places, *self.flags]


LEAN = Rival("the usual script, lean", "benchmarks.usual_script", "lean")
FULL = Rival("the usual script, the same output without reasons", "benchmarks.usual_in_full", "full", like="none")
REASONED = FULL._replace(
    name="the usual script, the same output with reasons for all", flags=("--reasons",), like="all"
)
RIVALS = (LEAN, FULL, REASONED)


class Scored(NamedTuple):
    """One run of the command. `peak_gib` is nan where the system does not report it."""

    customers: int
    rows: int
    reasons: str
    seconds: float
    peak_gib: float


class Measured(NamedTuple):
    """`usual` are the runs of `RIVALS` on the largest base they are given, `phases` are of that base."""

    runs: tuple[Scored, ...]
    usual: tuple[Scored, ...]
    phases: tuple[Phase, ...]


def measure(sizes: Sequence[int] = SIZES, repeats: int = 1, on_step: OnStep = lambda _: None) -> Measured:
    """Score bases of all sizes, with and without reasons; medians over `repeats`."""
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as name:
        folder = pathlib.Path(name)
        on_step(f"training on {TRAINED_ON:,} simulated customers")
        sample, _ = base(folder, TRAINED_ON)
        bundle_folder.save(train_on(sample), folder / "bundle")
        for rival in (LEAN, FULL):
            watch(rival.command("fit", folder, sample))
        bases = {n: base(folder, n) for n in sizes}
        runs = [
            _median([_ours(folder, bases[n], n, reasons, on_step) for _ in range(repeats)])
            for n in sizes
            for reasons in KINDS
        ]
        both = max(n for n in sizes if n <= LARGEST_USUAL)
        theirs = [_median([usual(folder, bases[both], both, on_step, r) for _ in range(repeats)]) for r in RIVALS]
        on_step(f"phases of {both:,} customers")
        phases = score_phases.measure(folder / "bundle", bases[both][0], AS_OF)
        return Measured(tuple(runs), tuple(theirs), tuple(phases))


def base(folder: pathlib.Path, n_customers: int) -> Base:
    """A simulated base as a file, and its number of rows."""
    path = folder / f"{n_customers}.parquet"
    return path, simulate.write(simulate.World(), n_customers, path, seed=n_customers)


def train_on(path: pathlib.Path) -> Bundle:
    with DuckDBEngine() as engine:
        return train.train(engine, reading.read(engine, reading.Sources(str(path)), AS_OF), SETTINGS).bundle


def _ours(folder: pathlib.Path, base: Base, n: int, reasons: str, on_step: OnStep) -> Scored:
    on_step(f"scoring {n:,} customers, reasons {reasons}")
    command = scoring(folder / "bundle", str(base[0]), folder / "ours.parquet", reasons)
    return _run(command, n, base[1], reasons)


def scoring(bundle: pathlib.Path, data: str, out: pathlib.Path, reasons: str) -> list[str]:
    """The command that scores a simulated base."""
    command = [sys.executable, "-m", "tiercast.cli", "score", data, "--as-of", AS_OF.isoformat()]
    return [*command, "--bundle", str(bundle), "--out", str(out), "--reasons", reasons, "--json"]


def usual(folder: pathlib.Path, base: Base, n: int, on_step: OnStep, rival: Rival = LEAN) -> Scored:
    """The other side's run on the same base, a file or a folder of files."""
    on_step(f"scoring {n:,} customers with {rival.name}")
    return _run(rival.command("score", folder, base[0], folder / "theirs.parquet"), n, base[1], "")


def _run(command: Sequence[str], n: int, rows: int, reasons: str) -> Scored:
    seconds, peak, stdout = watch(command)
    if json.loads(stdout)["customers"] != n:
        raise RuntimeError(f"not everybody was scored: {stdout[:200]}")
    return Scored(n, rows, reasons, seconds, peak)


def watch(
    command: Sequence[str], env: Mapping[str, str] | None = None, look: Callable[[], None] = lambda: None
) -> tuple[float, float, str]:
    """Run a command to its end: seconds, peak resident memory in GiB, and its stdout.

    The peak is read every 20 ms: the high-water mark is gone once the process has ended, and the one that
    `getrusage` keeps for children starts at the size of their parent. `look` is called as often. Whoever stops this
    process stops the command too.
    """
    started, peak = time.perf_counter(), float("nan")
    with tempfile.TemporaryFile() as output, subprocess.Popen(command, stdout=output, env=env) as process:
        try:
            while process.poll() is None:
                peak = peak_gib(process.pid, peak)
                look()
                time.sleep(0.02)
        except BaseException:
            process.kill()
            raise
        seconds = time.perf_counter() - started
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
        output.seek(0)
        return seconds, peak, output.read().decode()


def peak_gib(pid: int, before: float) -> float:
    """The largest resident memory the process has had; `before` where it has ended or the system does not report it."""
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
    """The table, the sentences below it, and the phases."""
    head = ["| | customers | rows | seconds | customers per second | peak memory |", "|---|--:|--:|--:|--:|--:|"]
    ours = [_row(f"`tiercast score --reasons {run.reasons}`", run) for run in measured.runs]
    return [
        *head,
        *ours,
        *(_row(rival.name, run) for rival, run in zip(RIVALS, measured.usual, strict=True)),
        "",
        *sentences(measured),
        "",
        *score_phases.markdown(list(measured.phases)),
    ]


def _row(name: str, run: Scored) -> str:
    cells = [name, f"{run.customers:,}", f"{run.rows:,}", f"{run.seconds:.1f}", f"{run.customers / run.seconds:,.0f}"]
    return f"| {' | '.join(cells)} | {run.peak_gib:.2f} GiB |"


def sentences(measured: Measured) -> list[str]:
    """What the runs say of growth, of the limit and of the other side, and where the time goes."""
    smallest, largest = (pick(r.customers for r in measured.runs) for pick in (min, max))
    peak = {n: max(r.peak_gib for r in measured.runs if r.customers == n) for n in (smallest, largest)}
    verdict = "under" if peak[largest] < LARGEST_GIB else "**over**"
    lines = [
        f"{largest / smallest:.0f} times the customers need {peak[largest] / peak[smallest]:.2f} times the memory; "
        f"{largest:,} customers stay {verdict} {LARGEST_GIB:.0f} GiB.",
        *beside(measured),
    ]
    return lines + growth(measured.runs)


def beside(measured: Measured) -> list[str]:
    """How many times as long the other side takes: like for like, then the lean script beside all of ours."""
    n = measured.usual[0].customers
    ours = {run.reasons: run.seconds for run in measured.runs if run.customers == n}
    theirs = dict(zip(RIVALS, (run.seconds for run in measured.usual), strict=True))
    like = [f"{r.name}: {theirs[r] / ours[r.like]:.1f} times `--reasons {r.like}`" for r in RIVALS if r.like]
    lean = [f"{theirs[LEAN] / seconds:.1f} times `--reasons {reasons}`" for reasons, seconds in ours.items()]
    return [
        f"Like for like, seconds with {n:,} customers: {'; '.join(like)}.",
        f"Not alike, {LEAN.name} with four columns from half the features: {', '.join(lean)}.",
    ]


def growth(runs: Sequence[Scored]) -> list[str]:
    """From each size to the next: how many times the seconds and the memory."""
    full = sorted((run for run in runs if run.reasons == "all"), key=lambda run: run.customers)
    return [
        f"From {a.customers:,} to {b.customers:,} customers, reasons for all: {b.seconds / a.seconds:.1f} times the "
        f"seconds, {b.peak_gib / a.peak_gib:.2f} times the memory."
        for a, b in itertools.pairwise(full)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory of `tiercast score` on simulated customers.")
    parser.add_argument("--customers", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--repeats", type=int, default=1)
    args = parser.parse_args()
    print("\n".join(markdown(measure(args.customers, args.repeats, print))))


if __name__ == "__main__":
    main()
