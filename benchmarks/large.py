"""Any number of customers, made and graded in pieces: seconds, memory and disk on a ladder of sizes, and how they grow.

    python -m benchmarks large --customers 20000000 --reasons none risky

Every size is simulated into a folder of Parquet files, graded by `tiercast score FOLDER/*.parquet` as a process of its
own, and removed before the next one. The usual script, the lean one, grades the sizes that it can hold in memory. All
of this lies in one folder where temporary files go (TMPDIR), which needs about half a GB per million customers of the
largest size.
"""

from __future__ import annotations

import json
import os
import pathlib
import resource
import shutil
import tempfile
import time
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks import score_memory, simulate
from benchmarks.score_memory import OnStep, Scored
from tiercast.contract import errors
from tiercast.models import bundle_folder

LADDER = (1_000_000, 4_000_000, 10_000_000, 20_000_000)
KINDS = ("none", "risky")
MOST_USUAL = 4_000_000  # customers: the usual script holds all of them in memory
BYTES_PER_CUSTOMER = 500  # rows, rows by part, finished parts and scores, and a third to spare
SECONDS_BETWEEN_LOOKS = 0.25


class Graded(NamedTuple):
    """One run of the command. `disk_gib` is the most that lay on the disk at once beside the rows, scores included."""

    customers: int
    rows: int
    reasons: str
    seconds: float
    cpu_seconds: float
    peak_gib: float
    disk_gib: float
    scores_gib: float


class Rung(NamedTuple):
    """One size: the seconds it took to make, our runs on it, and the usual script's where it was small enough."""

    made_in: float
    runs: tuple[Graded, ...]
    usual: Scored | None


class Room:
    """The largest that a folder has been, in bytes."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.most, self._next = folder, 0, 0.0

    def look(self) -> None:
        """Measure it, unless that was done just now."""
        if time.monotonic() >= self._next:
            self.most = max(self.most, size(self.folder))
            self._next = time.monotonic() + SECONDS_BETWEEN_LOOKS


def ladder(customers: int) -> tuple[int, ...]:
    """The sizes below that many customers, and that many.

    >>> ladder(5_000_000)
    (1000000, 4000000, 5000000)
    """
    return (*(n for n in LADDER if n < customers), customers)


def measure(
    sizes: Sequence[int] = LADDER, kinds: Sequence[str] = KINDS, on_step: OnStep = lambda _: None
) -> list[Rung]:
    """Grade every size with every kind of reasons, once each. Raises `CannotWrite` where the disk has no room."""
    require_room(pathlib.Path(tempfile.gettempdir()), max(sizes))
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as name:
        folder = pathlib.Path(name)
        on_step(f"training on {score_memory.TRAINED_ON:,} simulated customers")
        sample, _ = score_memory.base(folder, score_memory.TRAINED_ON)
        bundle_folder.save(score_memory.train_on(sample), folder / "bundle")
        score_memory.watch(score_memory.LEAN.command("fit", folder, sample))
        return [_rung(folder, n, kinds, on_step) for n in sorted(sizes)]


def require_room(folder: pathlib.Path, customers: int) -> None:
    """Raises `CannotWrite` unless the disk of that folder has room for so many customers."""
    free, needed = shutil.disk_usage(folder).free, customers * BYTES_PER_CUSTOMER
    if free < needed:
        most = f"ask for at most {free // BYTES_PER_CUSTOMER:,} customers"
        raise errors.CannotWrite(
            f"{customers:,} customers and their scores need more room than is free",
            count=free >> 20,
            total=needed >> 20,
            unit="MiB",
            first=str(folder),
            hint=f"free some space, set TMPDIR to a folder on a larger disk, or {most}",
        )


def size(folder: pathlib.Path) -> int:
    """Bytes of all files in a folder; some may go away while they are counted."""
    total = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            try:
                total += pathlib.Path(inside, name).stat().st_size
            except FileNotFoundError:
                continue
    return total


def _rung(folder: pathlib.Path, n: int, kinds: Sequence[str], on_step: OnStep) -> Rung:
    on_step(f"making {n:,} customers")
    base, started = folder / "base", time.perf_counter()
    rows = simulate.write_pieces(simulate.World(), n, base, seed=1)
    made_in = time.perf_counter() - started
    runs = tuple(_graded(folder, n, rows, reasons, on_step) for reasons in kinds)
    usual = score_memory.usual(folder, (base, rows), n, on_step) if n <= MOST_USUAL else None
    shutil.rmtree(base)
    return Rung(made_in, runs, usual)


def _graded(folder: pathlib.Path, n: int, rows: int, reasons: str, on_step: OnStep) -> Graded:
    on_step(f"scoring {n:,} customers, reasons {reasons}")
    work = folder / "work"
    work.mkdir()
    out, room, spent = work / "scores.parquet", Room(work), _cpu_seconds()
    command = score_memory.scoring(folder / "bundle", str(folder / "base" / "*.parquet"), out, reasons)
    seconds, peak, stdout = score_memory.watch(command, os.environ | {"TMPDIR": str(work)}, room.look)
    if json.loads(stdout)["customers"] != n:
        raise RuntimeError(f"not everybody was scored: {stdout[:200]}")
    most, scores = (number / 2**30 for number in (max(room.most, size(work)), out.stat().st_size))
    shutil.rmtree(work)
    run = Graded(n, rows, reasons, seconds, _cpu_seconds() - spent, peak, most, scores)
    on_step(f"{seconds:.0f} s, {run.cpu_seconds:.0f} s of processor, memory {peak:.2f} GiB, disk {most:.2f} GiB")
    return run


def _cpu_seconds() -> float:
    """What the processes that this one has waited for have spent on all cores."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
