"""What a yearly rhythm does to the total: simulated givers, three years and more, judged on rolling days.

    python -m benchmarks season     # four minutes

Every customer has days of their own in the year, most of them before Christmas (`benchmarks.yearly`). On each day the
whole procedure runs on what was known then, with churn and value over the next 90 days, and its total is compared with
what came. One of the windows holds the peak, two do not.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import simulate
from benchmarks.simulate import World
from benchmarks.yearly import Yearly
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.models.bgnbd import BgNbd
from tiercast.models.bundle import About
from tiercast.training.fit import procedure
from tiercast.training.judge import holdout
from tiercast.training.judge.holdout import CLOSED_FORM, MODEL
from tiercast.training.settings import Horizons, Rolling, Settings, Trees
from tiercast.training.windows import spec_choice
from tiercast.training.windows.snapshots import Snapshots

WORLD = World(days=1205, yearly=Yearly(), bg=BgNbd(r=1.0, alpha=1.0, a=1.0, b=8.0))  # leaving as in BG/NBD
HORIZON = 90
DAYS = (dt.date(2024, 7, 1), dt.date(2024, 10, 15), dt.date(2025, 1, 15))
N_CUSTOMERS, SEEDS = 6_000, (1, 2, 3)
OnStep = Callable[[str], None]


class Judged(NamedTuple):
    """One holdout: relative errors of the total and normalised Ginis, and the rule that set the level of `value`."""

    day: dt.date
    n_customers: int
    closed_form: float
    value: float
    closed_form_ngini: float
    value_ngini: float
    rule: str


def write(path: Path, n_customers: int, seed: int) -> str:
    """The givers' purchases as Parquet."""
    simulate.write(WORLD, n_customers, path, seed)
    return str(path)


def judge(source: str, day: dt.date, rounds: int = 120) -> Judged:
    """Train as on `day`, and look at the 90 days after it."""
    settings = Settings(
        horizons=Horizons(churn_days=HORIZON, value_days=HORIZON),
        trees=Trees(rounds=rounds),
        rolling=Rolling(bootstrap_draws=20, threads=1),
    )
    with DuckDBEngine(threads=1) as engine:
        snapshots = _snapshots(engine, source, day, settings)
        about = About(as_of=day, churn_days=HORIZON, value_days=HORIZON)
        was = procedure.run(snapshots.until(day), day, settings, about)
        found = holdout.judge_value(was, snapshots.at(day), settings)
    cards = found.judged.cards
    bias, ngini = ({name: cards[name][metric].value for name in (CLOSED_FORM, MODEL)} for metric in ("bias", "ngini"))
    numbers = bias[CLOSED_FORM], bias[MODEL], ngini[CLOSED_FORM], ngini[MODEL]
    return Judged(day, found.judged.n_customers, *numbers, was.value.level.rule)


def _snapshots(engine: DuckDBEngine, source: str, day: dt.date, settings: Settings) -> Snapshots:
    known = reading.read(engine, reading.Sources(source), day + dt.timedelta(HORIZON), is_counted=False)
    tables = known.tables._replace(transactions=engine.store("known", known.tables.transactions))
    span = known.report.first_on, known.as_of
    spec = spec_choice.choose(engine, tables, (span[0], day), settings.rolling.feature_windows, HORIZON)
    return Snapshots(engine, tables, span, spec, settings.horizons)


def measure(on_step: OnStep = lambda _: None) -> list[Judged]:
    """Every day for every seed."""
    found = []
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as folder:
        for seed in SEEDS:
            source = write(Path(folder, f"givers-{seed}.parquet"), N_CUSTOMERS, seed)
            for day in DAYS:
                on_step(f"givers {seed} of {len(SEEDS)}, {day}")
                found.append(judge(source, day))
    return found


def markdown(found: Sequence[Judged]) -> list[str]:
    """One row per holdout."""
    names = "total, closed form | total, Tiercast | nGini, closed form | nGini, Tiercast | level by"
    head = f"| 90 days from | customers | {names} |"
    rows = [
        f"| {j.day} | {j.n_customers:,} | {j.closed_form:+.1%} | {j.value:+.1%} | {j.closed_form_ngini:.3f} | "
        f"{j.value_ngini:.3f} | `{j.rule}` |"
        for j in sorted(found, key=lambda j: j.day)
    ]
    return [head, "|---|--:|--:|--:|--:|--:|---|", *rows]
