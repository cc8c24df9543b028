"""`python -m benchmarks [PART ...]`: measure, print and refresh the pages; `--help` names the parts.

Without a name all but `large` run, in about an hour and a half on two cores. Quality and intervals go to
docs/quality.md, what tuning gains to docs/tuning.md, what Spark costs to docs/scale.md, the rest to
benchmarks/RESULTS.md; the prose of the pages stays as it is.
"""

from __future__ import annotations

import argparse
import functools
import os
import pathlib
import signal
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks import (
    fit,
    growth,
    intervals,
    large,
    large_figure,
    lookup,
    machine,
    pages,
    quality,
    rolling,
    sampling,
    score_memory,
    season,
    service,
    simulate,
    since,
    soak,
    spark,
    store,
    tuning,
)
from benchmarks.fit import Timed
from tiercast.contract.errors import TiercastError

FIT_CUSTOMERS, FIT_REPEATS = 200_000, 3
Side = tuple[Timed, Timed]


def on_step(what: str) -> None:
    """What runs now, on stderr: stdout gets the numbers."""
    print(f"[{time.strftime('%H:%M:%S')}] {what}", file=sys.stderr, flush=True)


def fits() -> list[str]:
    """Our BG/NBD and Gamma-Gamma fits and lifetimes', in turns on the same customers: medians and ratios."""
    world = simulate.World()
    drawn = simulate.simulate(world, FIT_CUSTOMERS, np.random.default_rng(1))
    customers = simulate.summarise_by_day(drawn, world.days)
    rounds: list[tuple[Side, Side]] = []
    for k in range(FIT_REPEATS):
        on_step(f"fitting {FIT_CUSTOMERS:,} customers, round {k + 1} of {FIT_REPEATS}")
        rounds.append((fit.ours(customers), fit.theirs(customers)))
    return _fit_table([our for our, _ in rounds], [their for _, their in rounds])


def _fit_table(ours: Sequence[Side], theirs: Sequence[Side]) -> list[str]:
    """One row per model: medians of wall and processor seconds."""
    head = f"| {FIT_CUSTOMERS:,} customers, median of {FIT_REPEATS} | ours | lifetimes | ratio |"
    rows = [_fit_row("BG/NBD", ours, theirs, lambda side: side[0].seconds)]
    rows += [_fit_row("Gamma-Gamma", ours, theirs, lambda side: side[1].seconds)]
    rows += [_fit_row("both", ours, theirs, lambda side: side[0].seconds + side[1].seconds)]
    rows += [_fit_row("both, processor time", ours, theirs, lambda side: side[0].cpu_seconds + side[1].cpu_seconds)]
    return [head, "|---|--:|--:|--:|", *rows]


def _fit_row(name: str, ours: Sequence[Side], theirs: Sequence[Side], seconds: Callable[[Side], float]) -> str:
    our, their = (statistics.median(seconds(side) for side in sides) for sides in (ours, theirs))
    return f"| {name} | {our:.2f} s | {their:.2f} s | {their / our:.1f} × |"


def at_scale(customers: int = large.LADDER[-1], kinds: Sequence[str] = large.KINDS) -> list[str]:
    """The ladder up to that many customers; refreshes its picture too."""
    rungs = large.measure(large.ladder(customers), kinds, on_step)
    large_figure.write(rungs)
    return growth.markdown(rungs)


PARTS = {
    "fit": (fits, pages.RESULTS),
    "score": (lambda: score_memory.markdown(score_memory.measure(on_step=on_step)), pages.RESULTS),
    "since": (lambda: since.markdown(since.measure(on_step=on_step)), pages.RESULTS),
    "large": (at_scale, pages.RESULTS),
    "store": (lambda: store.markdown(store.measure(on_step=on_step)), pages.RESULTS),
    "lookup": (lambda: lookup.markdown(lookup.measure(on_step=on_step), lookup.CUSTOMERS), pages.RESULTS),
    "service": (lambda: service.markdown(service.measure(on_step)), pages.RESULTS),
    "soak": (lambda: soak.markdown(soak.measure(on_step=on_step)), pages.RESULTS),
    "season": (lambda: season.markdown(season.measure(on_step)), pages.RESULTS),
    "sampling": (lambda: sampling.markdown(sampling.measure(on_step)), pages.RESULTS),
    "quality": (lambda: quality.markdown(*quality.measure(on_step)), pages.QUALITY),
    "rolling": (lambda: rolling.markdown(on_step), pages.QUALITY),
    "intervals": (lambda: intervals.markdown(intervals.measure(on_step)), pages.QUALITY),
    "tuning": (lambda: tuning.markdown(tuning.measure(on_step=on_step)), pages.TUNING),
    "spark": (lambda: spark.markdown(spark.measure(on_step=on_step)), pages.SCALE),
}


def main() -> None:
    args = _parse_arguments()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # temporary folders go, as after Ctrl-C
    parts = PARTS | {"large": (functools.partial(at_scale, args.customers, args.reasons), pages.RESULTS)}
    names = args.parts or [name for name in PARTS if name != "large"]
    try:
        for name in names:
            _refresh(name, *parts[name])
    except TiercastError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    pages_done = ", ".join(sorted({PARTS[name][1].name for name in names}))
    print(f"\nload at the end {os.getloadavg()[0]:.1f}; refreshed {pages_done}")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    shown = "|".join(PARTS)
    parser.add_argument("parts", nargs="*", metavar=shown, help="what to measure; all but large when left out")
    parser.add_argument("--customers", type=int, default=large.LADDER[-1], help="of large: how many at most")
    parser.add_argument("--reasons", nargs="+", default=large.KINDS, choices=score_memory.KINDS, help="of large")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}")
    if args.customers < 1:
        parser.error("--customers must be at least 1")
    return args


def _refresh(name: str, measured: Callable[[], list[str]], page: pathlib.Path) -> None:
    """Measure one part, print it, and write it into its page."""
    lines = [f"*{line}*  " for line in machine.lines()]
    lines = [*lines, "", *measured()]
    print("\n".join(["", f"## {name}", "", *lines]))
    pages.refresh(page, name, lines)


if __name__ == "__main__":
    main()
