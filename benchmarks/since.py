"""What going on from yesterday saves: `tiercast score` of a day's new rows with `--since` and without.

    python -m benchmarks.since --customers 1000000

The base is simulated; the first of two days is scored once to fill the folder, the second in turns over everything and
from that folder, as processes of their own, and both must write the same bytes. Processor seconds suffer less than
seconds from other work on the same cores. The steps are measured one after the other inside one process.
"""

from __future__ import annotations

import argparse
import datetime as dt
import pathlib
import resource
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from benchmarks import score_memory
from benchmarks.score_memory import Base, OnStep
from tiercast.features import parts, reading
from tiercast.features.engines.duckdb import Engine
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving.batch import incremental
from tiercast.serving.batch.incremental import IncrementalReport
from tiercast.training import train

CUSTOMERS, REPEATS = 1_000_000, 2
DAY = score_memory.AS_OF
BEFORE, TRAINED = DAY - dt.timedelta(1), DAY - dt.timedelta(2)
Answer = TypeVar("Answer")


class Run(NamedTuple):
    """One run of the command: seconds, processor seconds, and peak memory in GiB."""

    seconds: float
    cpu: float
    peak_gib: float


class Measured(NamedTuple):
    """`pairs` has, per kind of reasons, a full run and one with --since; `first` filled the folder."""

    base: Base
    first: Run
    pairs: dict[str, tuple[Run, Run]]
    steps: tuple[tuple[str, float], ...]
    summary: IncrementalReport
    state_mb: float


def measure(customers: int = CUSTOMERS, repeats: int = REPEATS, on_step: OnStep = lambda _: None) -> Measured:
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as name:
        folder = pathlib.Path(name)
        on_step(f"training on {score_memory.TRAINED_ON:,} simulated customers")
        sample, _ = score_memory.base(folder, score_memory.TRAINED_ON)
        bundle_folder.save(_bundle(sample), folder / "bundle")
        base = score_memory.base(folder, customers)
        on_step(f"scoring {customers:,} customers as of {BEFORE}, to be gone on from")
        first = _run(folder, base, BEFORE, "none", folder / "kept")
        pairs = {reasons: _pair(folder, base, reasons, repeats, on_step) for reasons in ("none", "all")}
        on_step("steps, one after the other")
        steps, summary = _steps(bundle_folder.load(folder / "bundle"), base, folder / "kept")
        size = sum(file.stat().st_size for file in (folder / "kept").rglob("*.parquet")) / 1e6
        return Measured(base, first, pairs, steps, summary, size)


def _bundle(sample: pathlib.Path) -> Bundle:
    with Engine() as engine:
        read = reading.read(engine, reading.Sources(str(sample)), TRAINED)
        return train.train(engine, read, score_memory.SETTINGS).bundle


def _pair(folder: pathlib.Path, base: Base, reasons: str, repeats: int, on_step: OnStep) -> tuple[Run, Run]:
    """A full run and one that goes on, in turns: the medians of each."""
    full, going_on = list[Run](), list[Run]()
    for k in range(repeats):
        on_step(f"reasons {reasons}, round {k + 1} of {repeats}")
        full.append(_run(folder, base, DAY, reasons, None))
        wanted = (folder / "scores.parquet").read_bytes()
        shutil.rmtree(folder / "state", ignore_errors=True)
        shutil.copytree(folder / "kept", folder / "state")
        going_on.append(_run(folder, base, DAY, reasons, folder / "state"))
        if (folder / "scores.parquet").read_bytes() != wanted:
            raise RuntimeError("--since changed the scores")
    return _median(full), _median(going_on)


def _run(folder: pathlib.Path, base: Base, day: dt.date, reasons: str, state: pathlib.Path | None) -> Run:
    command = [sys.executable, "-m", "tiercast.cli", "score", str(base[0]), "--as-of", day.isoformat(), "--json"]
    command += ["--bundle", str(folder / "bundle"), "--out", str(folder / "scores.parquet"), "--reasons", reasons]
    before = _cpu(resource.RUSAGE_CHILDREN)
    seconds, peak, _ = score_memory.watch([*command, *(("--since", str(state)) if state else ())])
    return Run(seconds, _cpu(resource.RUSAGE_CHILDREN) - before, peak)


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _median(runs: list[Run]) -> Run:
    return Run(*(statistics.median(cells) for cells in zip(*runs, strict=True)))


def _steps(bundle: Bundle, base: Base, state: pathlib.Path) -> tuple[tuple[tuple[str, float], ...], IncrementalReport]:
    """Processor seconds of the steps that differ, in one process; the folder is brought to the day."""
    with Engine() as engine:
        read_in, read = _clock(lambda: reading.read(engine, reading.Sources(str(base[0])), DAY, is_counted=False))
        full, _ = _clock(lambda: parts.features(engine, read.tables, DAY, bundle.spec, 0, 1))
        update, sums = _clock(lambda: _updated(engine, read, bundle, state))
        rest, _ = _clock(lambda: parts.features(engine, read.tables, DAY, bundle.spec, 0, 1, sums.part(0)))
    names = ("read and judge all rows (both)", "features from all rows", "bring the kept sums to the day")
    return ((names[0], read_in), (names[1], full), (names[2], update), ("features from the sums", rest)), sums.report


def _updated(engine: Engine, read: reading.Reading, bundle: Bundle, state: pathlib.Path) -> incremental.Aggregates:
    with incremental.update(engine, read, bundle.spec, state) as sums:
        return sums


def _clock(job: Callable[[], Answer]) -> tuple[float, Answer]:
    before = _cpu(resource.RUSAGE_SELF)
    answer = job()
    return _cpu(resource.RUSAGE_SELF) - before, answer


def markdown(measured: Measured) -> list[str]:
    head = f"| {measured.summary.customers:,} customers, a day's new rows | seconds | processor seconds | peak memory |"
    lines = [head, "|---|--:|--:|--:|", _row("the first run with `--since`, reasons none", measured.first)]
    for reasons, (full, going_on) in measured.pairs.items():
        lines += [_row(f"everything, reasons {reasons}", full), _row(f"`--since`, reasons {reasons}", going_on)]
    return [*lines, "", *_sentences(measured), "", *_step_table(measured.steps)]


def _row(name: str, run: Run) -> str:
    return f"| {name} | {run.seconds:.1f} | {run.cpu:.1f} | {run.peak_gib:.2f} GiB |"


def _sentences(measured: Measured) -> list[str]:
    summary = measured.summary
    shares = [
        f"{abs(1 - going_on.cpu / full.cpu):.0%} {'less' if going_on.cpu < full.cpu else 'more'} with reasons {reasons}"
        for reasons, (full, going_on) in measured.pairs.items()
    ]
    return [
        f"{summary.computed:,} of {summary.customers:,} customers were computed from their rows; what is kept takes "
        f"{measured.state_mb:.0f} MB. The bytes were the same. Processor time with `--since`: {', '.join(shares)}."
    ]


def _step_table(steps: tuple[tuple[str, float], ...]) -> list[str]:
    head = ["| step, one after the other | processor seconds |", "|---|--:|"]
    return [*head, *(f"| {name} | {seconds:.1f} |" for name, seconds in steps)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time of `tiercast score --since` for a day's new rows.")
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    args = parser.parse_args()
    print("\n".join(markdown(measure(args.customers, args.repeats, print))))


if __name__ == "__main__":
    main()
