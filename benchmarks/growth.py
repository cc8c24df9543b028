"""What `benchmarks.large` measured, in words: the table, how it grows, and what that says of 110 million customers.

Time and memory are fitted by a straight line over customers. Beyond the largest size that was measured, everything is
extrapolated, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.large import Graded, Rung
from benchmarks.score_memory import Scored

GOAL_CUSTOMERS, GOAL_ROWS = 110_000_000, 580_000_000
GOAL_MINUTES, GOAL_GB = 60.0, 16.0
SMALL, LARGE, TIME_RATIO, MEMORY_RATIO = 1_000_000, 10_000_000, 11.0, 1.5
Measure = Callable[[Graded], float]


class Line(NamedTuple):
    """`fixed` to begin with, and `each` per customer; `off` is the line's largest miss as a share of the measured."""

    fixed: float
    each: float
    off: float

    def at(self, customers: float) -> float:
        return self.fixed + self.each * customers


def line(runs: Sequence[Graded], measure: Measure) -> Line:
    """The least squares line through runs of at least two sizes.

    >>> runs = [Graded(n, 5 * n, "none", 10 + n / 1e5, 0, 1, 0, 0) for n in (10**6, 4 * 10**6, 10**7)]
    >>> fitted = line(runs, lambda run: run.seconds)
    >>> round(fitted.at(110e6))
    1110
    """
    n, y = (np.array([get(run) for run in runs], dtype=np.float64) for get in (lambda run: run.customers, measure))
    each, fixed = np.polyfit(n, y, 1)
    return Line(float(fixed), float(each), float(np.max(np.abs(fixed + each * n - y) / y)))


def markdown(rungs: Sequence[Rung]) -> list[str]:
    """The table, then for every kind of reasons how it grows, the targets, and the goal."""
    head = [
        "| | customers | rows | seconds | of processor | peak memory | disk at most | scores |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines = [row for rung in rungs for row in _rows(rung)]
    made = ", ".join(f"{rung.runs[0].customers:,} in {rung.made_in:.0f} s" for rung in rungs)
    return [*head, *lines, "", f"Made on all cores: {made}.", *(f"\n{text}" for text in sentences(rungs))]


def sentences(rungs: Sequence[Rung]) -> list[str]:
    """One paragraph per kind of reasons; none of growth where there is one size only."""
    kinds = [run.reasons for run in rungs[0].runs]
    by_kind = {kind: [run for rung in rungs for run in rung.runs if run.reasons == kind] for kind in kinds}
    if len(rungs) < 2:
        return ["One size shows no growth."]
    return [f"Reasons {kind}: {_growth(runs)} {_target(runs)} {_goal(runs)}" for kind, runs in by_kind.items()]


def _rows(rung: Rung) -> list[str]:
    ours = [
        f"| `tiercast score --reasons {r.reasons}` | {r.customers:,} | {r.rows:,} | {r.seconds:.1f} "
        f"| {r.cpu_seconds:.0f} s | {r.peak_gib:.2f} GiB | {r.disk_gib:.2f} GiB | {r.scores_gib:.2f} GiB |"
        for r in rung.runs
    ]
    return ours + ([_usual_row(rung.usual)] if rung.usual else [])


def _usual_row(run: Scored) -> str:
    return f"| the usual script | {run.customers:,} | {run.rows:,} | {run.seconds:.1f} | | {run.peak_gib:.2f} GiB | | |"


def _growth(runs: Sequence[Graded]) -> str:
    time = line(runs, lambda run: run.seconds)
    last = (runs[-1].seconds - runs[-2].seconds) / (runs[-1].customers - runs[-2].customers)
    return (
        f"{time.fixed:.1f} s and {time.each * 1e6:.1f} s per million customers, a line that misses no size by more "
        f"than {time.off:.0%}; between the two largest sizes {last * 1e6:.1f} s per million."
    )


def _target(runs: Sequence[Graded]) -> str:
    """From 1M to 10M customers, if both were measured."""
    by_size = {run.customers: run for run in runs}
    if not {SMALL, LARGE} <= by_size.keys():
        return f"From {SMALL:,} to {LARGE:,} customers: not measured in this run."
    small, large = by_size[SMALL], by_size[LARGE]
    time, memory = large.seconds / small.seconds, large.peak_gib / small.peak_gib
    return (
        f"From {SMALL:,} to {LARGE:,} customers {time:.1f} times the seconds (at most {TIME_RATIO:.0f}: "
        f"{_met(time <= TIME_RATIO)}) and {memory:.2f} times the memory (at most {MEMORY_RATIO}: "
        f"{_met(memory <= MEMORY_RATIO)})."
    )


def _goal(runs: Sequence[Graded]) -> str:
    """The design's largest base, along the lines or the steepest step, whichever is more.

    A simulated customer has fewer rows than one of that base, so as many are taken as have its rows.
    """
    biggest = runs[-1]
    customers = max(GOAL_CUSTOMERS, GOAL_ROWS / (biggest.rows / biggest.customers))
    minutes = _beyond(runs, lambda run: run.seconds, customers) / 60
    memory = _beyond(runs, lambda run: run.peak_gib, customers) * 2**30 / 1e9
    disk = _beyond(runs, lambda run: run.disk_gib, customers)
    return (
        f"**Extrapolated, not measured**, {customers / biggest.customers:.1f} times beyond the largest size: "
        f"{GOAL_CUSTOMERS:,} customers with {GOAL_ROWS:,} rows take {minutes:.0f} minutes (goal {GOAL_MINUTES:.0f}: "
        f"{_met(minutes <= GOAL_MINUTES)}), {memory:.1f} GB of memory (goal {GOAL_GB:.0f}: {_met(memory <= GOAL_GB)}) "
        f"and {math.ceil(disk)} GiB of disk beside the rows."
    )


def _beyond(runs: Sequence[Graded], measure: Measure, customers: float) -> float:
    """The line's answer or that of the last step, whichever is more; never less than the largest that was measured."""
    last, before = runs[-1], runs[-2]
    step = (measure(last) - measure(before)) / (last.customers - before.customers)
    straight = measure(last) + step * (customers - last.customers)
    return max(line(runs, measure).at(customers), straight, *(measure(run) for run in runs))


def _met(is_met: bool) -> str:
    return "met" if is_met else "**missed**"
