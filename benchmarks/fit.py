"""Our BG/NBD and Gamma-Gamma fits against lifetimes', on the same simulated customers, in one run.

    python benchmarks/fit.py --customers 1000000

Both sides get the same arrays, one row per customer, days as unit. The ratio counts both fits together.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy

from benchmarks import simulate
from benchmarks.simulate import Summaries
from tiercast.models import bgnbd, gamma_gamma
from tiercast.models.bgnbd import BgNbd
from tiercast.models.gamma_gamma import GammaGamma
from tiercast.training.btyd import families, fit_gamma_gamma, fit_orders


class Timed(NamedTuple):
    seconds: float
    cpu_seconds: float
    answer: Any


def timed(work: Callable[[], Any]) -> Timed:
    wall, cpu = time.perf_counter(), time.process_time()
    answer = work()
    return Timed(time.perf_counter() - wall, time.process_time() - cpu, answer)


def ours(s: Summaries) -> tuple[Timed, Timed]:
    return timed(lambda: fit_orders.fit(s.x, s.t_x, s.T, families.BGNBD)), timed(lambda: fit_gamma_gamma.fit(s.x, s.m))


def theirs(s: Summaries) -> tuple[Timed, Timed]:
    """lifetimes as its users call it; only its Gamma-Gamma model needs repeat buyers."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import lifetimes

        some = s.x > 0
        bg = timed(lambda: lifetimes.BetaGeoFitter().fit(s.x, s.t_x, s.T).params_)
        gg = timed(lambda: lifetimes.GammaGammaFitter().fit(s.x[some], s.m[some]).params_)
        return bg, gg


def log_likelihoods(s: Summaries, bg: BgNbd, gg: GammaGamma) -> tuple[float, float]:
    """Both totals by the models' own formulas, so that both sides are judged alike."""
    return (
        float(bgnbd.log_likelihood(bg, s.x, s.t_x, s.T).sum()),
        float(gamma_gamma.log_likelihood(gg, s.x, s.m).sum()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit speed and likelihood against lifetimes, in one run.")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    world = simulate.World()
    s = simulate.summarise_by_day(
        simulate.simulate(world, args.customers, np.random.default_rng(args.seed)), world.days
    )
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f},",
        f"Python {platform.python_version()},",
        end=" ",
    )
    print(f"numpy {np.__version__}, scipy {scipy.__version__}, lifetimes 0.11.3; {args.customers:,} customers, once")
    report(s, ours(s), theirs(s))


def report(s: Summaries, our: tuple[Timed, Timed], their: tuple[Timed, Timed]) -> None:
    sides = {
        "ours": (our, our[0].answer.params, our[1].answer.params),
        "lifetimes": (their, BgNbd(*map(float, their[0].answer)), GammaGamma(*map(float, their[1].answer))),
    }
    for name, ((bg_time, gg_time), bg, gg) in sides.items():
        bg_total, gg_total = log_likelihoods(s, bg, gg)
        print(
            f"{name:>10}  BG/NBD {bg_time.seconds:7.2f} s (CPU {bg_time.cpu_seconds:6.2f})  LL {bg_total:.4f}", end="  "
        )
        print(f"Gamma-Gamma {gg_time.seconds:7.2f} s (CPU {gg_time.cpu_seconds:6.2f})  LL {gg_total:.4f}")
    wall = sum(part.seconds for part in their) / sum(part.seconds for part in our)
    cpu = sum(part.cpu_seconds for part in their) / sum(part.cpu_seconds for part in our)
    print(f"both fits: {wall:.1f} times as fast (CPU time {cpu:.1f})")


if __name__ == "__main__":
    main()
