"""How long one customer's score takes under a steady load, over five runs of a new server each.

    python -m benchmarks.latency

Random arrivals, at 200 requests per second and at half of the top rate of 16 callers, for one worker and for two. The
load generator runs beside the server. Takes about ten minutes on two cores.
"""

from __future__ import annotations

import pathlib
import statistics
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks import load, machine, service
from benchmarks.load import Load, Measured
from benchmarks.service import Side

RUNS, RATE, SECONDS = 5, 200.0, 10.0


class Run(NamedTuple):
    """One server: its top rate, then its times at `RATE` requests per second and at half of the top rate."""

    top: Measured
    steady: Measured
    half: Measured


def measure(side: Side) -> Run:
    """Start the server, warm it up, and measure it once."""
    port = service.free_port()
    with service.running(side, port):
        ones = Load(port, side.path, side.ones, SECONDS)
        load.run(ones._replace(seconds=service.WARM_SECONDS, at_once=4))
        top = load.run(ones._replace(seconds=service.SECONDS, at_once=service.AT_ONCE))
        return Run(top, load.run(ones._replace(rate=RATE)), load.run(ones._replace(rate=top.per_second / 2)))


def row(name: str, runs: Sequence[Run]) -> str:
    """Medians of the runs, and in brackets the lowest and the highest."""
    cells = [
        spread([run.top.per_second for run in runs]),
        *(spread([run.steady.p50_ms for run in runs]), spread([run.steady.p99_ms for run in runs])),
        *(spread([run.half.p50_ms for run in runs]), spread([run.half.p99_ms for run in runs])),
    ]
    n_failed = sum(measured.failed for run in runs for measured in run)
    return f"| {name} | {' | '.join(cells)} | {n_failed} |"


def spread(values: Sequence[float]) -> str:
    """
    >>> spread([3.0, 1.0, 2.0])
    '2.0 (1.0 to 3.0)'
    """
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def main() -> None:
    steady = f"{RATE:.0f}/s"
    print("\n".join(machine.lines()))
    print(f"| {RUNS} runs | requests/s, 16 callers | p50 ms at {steady} | p99 | p50 ms at half | p99 | failed |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory(prefix="tiercast-latency-") as scratch:
        for side in service.sides(pathlib.Path(scratch)):
            if "tiercast serve" in side.name:
                print(row(side.name, [measure(side) for _ in range(RUNS)]), flush=True)


if __name__ == "__main__":
    main()
