"""Whether ranges of money hold, tier by tier: rolling days, beside the naive range per number of orders.

    python -m benchmarks intervals

On each day the procedure runs on what was known and is held against the window after it. The naive range is what
customers with as many repeat orders brought, on the same earlier windows that ours learned from.
"""

from __future__ import annotations

import datetime as dt
import pathlib
import tempfile
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import shops, simulate
from benchmarks.rolling import naive_range
from benchmarks.rolling.naive_range import Learned
from tiercast.contract.scores import INTERVAL_TAIL
from tiercast.contract.vectors import Vector
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import Sources
from tiercast.models import predict
from tiercast.models.bundle import About
from tiercast.models.predict import Predictions
from tiercast.training import train
from tiercast.training.evaluation import outcomes, probability, ranges
from tiercast.training.fit import churn_model, procedure, value_model
from tiercast.training.fit.procedure import Procedure
from tiercast.training.settings import Horizons, Settings
from tiercast.training.windows import sampling
from tiercast.training.windows.snapshots import Snapshot

IN_GRID = ("A", "B", "C", "D")
LEAST = 100
WITHIN, LARGEST_ECE = 0.03, 0.03
SWINGING = simulate.World(days=1095, seasonality=0.4, refunds=0.02)
OnStep = Callable[[str], None]


class Case(NamedTuple):
    """One history, its horizon in days for churn and value alike, the day it ends on, and the days to go back to."""

    name: str
    sources: Sources
    days: int
    ends: dt.date
    dates: tuple[dt.date, ...]


class Row(NamedTuple):
    """One day. `above` is by tier, "A–D" among them; a tier with fewer than 100 tops is left out.

    `score` is our mean interval score over the naive one's, A to D; below 1 is better.
    """

    case: Case
    as_of: dt.date
    above: dict[str, float]
    score: float
    ece_high: float
    ece_sure: float


class Seen(NamedTuple):
    """The window after the day: predictions and outcomes."""

    predictions: Predictions
    value_cut: float
    actual: Vector
    churned: Vector
    repeats: Vector


def measure(on_step: OnStep = lambda _: None) -> list[Row]:
    """Every case on its days."""
    with tempfile.TemporaryDirectory(prefix="tiercast-bench-") as folder:
        return [row for case in cases(pathlib.Path(folder)) for row in _rows(case, on_step)]


def cases(folder: pathlib.Path) -> list[Case]:
    """The public shops that can be had here, and a simulated market that swings by 40 % over the year."""
    found, _ = shops.gather(folder)
    by_title = {shop.title: shop for shop in found}
    days = {
        "Complete Journey, 30 days": ("2017-09-02", "2017-10-02", "2017-11-01", "2017-12-02"),
        "CDNOW, 90 days": ("1997-12-03", "1998-01-02", "1998-02-01", "1998-04-02"),
        "Online Retail, 60 days": ("2011-07-13", "2011-08-12", "2011-09-11", "2011-10-11"),
    }
    out = [
        Case(title, by_title[title].sources, by_title[title].days, by_title[title].as_of, _dates(days[title]))
        for title in days
        if title in by_title
    ]
    simulate.write(SWINGING, 20_000, folder / "swinging.parquet", seed=3)
    dates = _dates(("2024-03-01", "2024-06-01", "2024-08-01", "2024-10-02"))
    made = Case("simulated season, 90 days", Sources(str(folder / "swinging.parquet")), 90, dt.date(2025, 1, 1), dates)
    return [*out, made]


def _dates(texts: Sequence[str]) -> tuple[dt.date, ...]:
    return tuple(dt.date.fromisoformat(day) for day in texts)


def _rows(case: Case, on_step: OnStep) -> list[Row]:
    settings = Settings(horizons=Horizons(churn_days=case.days, value_days=case.days))
    about = About(as_of=case.ends, churn_days=case.days, value_days=case.days)
    with DuckDBEngine() as engine:
        known = reading.read(engine, case.sources, case.ends, is_counted=False)
        span = known.report.first_on, case.ends
        history = train.open_snapshots(
            engine, sampling.draw(engine, known.tables, settings.rolling.most_customers).tables, span, settings
        )
        rows = []
        for day in case.dates:
            on_step(f"{case.name} as of {day}")
            run = procedure.run(history.until(day), day, settings, about)
            rows.append(row(case, day, _seen(run, history.at(day)), _learned(run)))
        return rows


def _seen(run: Procedure, then: Snapshot) -> Seen:
    predicted = predict.predict(run.bundle, then.columns(run.bundle.spec.names))
    repeats = then.features["n_repeat_orders"].to_numpy()
    return Seen(predicted, run.bundle.cuts.value, value_model.realised(then), churn_model.churned(then), repeats)


def _learned(run: Procedure) -> Learned:
    windows = [unseen.snapshot for unseen in run.value.unseen]
    repeats = np.concatenate([w.features["n_repeat_orders"].to_numpy() for w in windows])
    return Learned(repeats, np.concatenate([value_model.realised(w) for w in windows]))


def row(case: Case, day: dt.date, seen: Seen, learned: Learned) -> Row:
    """All numbers of one day."""
    sure, tiers = seen.predictions.certainty, seen.predictions.tiers
    graded = np.isin(tiers, IN_GRID)
    groups = {"A–D": graded, **{tier: tiers == tier for tier in IN_GRID}}
    shares = {
        name: ranges.shares(sure.value_low[here], sure.value_high[here], seen.actual[here])
        for name, here in groups.items()
    }
    usual = naive_range.naive(learned, seen.repeats)
    ours = naive_range.interval_score(sure.value_low, sure.value_high, seen.actual)[graded].mean()
    theirs = float("nan") if usual is None else naive_range.interval_score(*usual, seen.actual)[graded].mean()
    is_high = seen.actual >= seen.value_cut
    return Row(
        case,
        day,
        {name: found.above for name, found in shares.items() if found.above is not None and found.n_above >= LEAST},
        float(ours / theirs),
        _ece(sure.p_high_value, is_high, graded),
        _ece(sure.tier_confidence, _borne_out(tiers, is_high, seen.churned), graded),
    )


def _borne_out(tiers: NDArray[np.str_], is_high: NDArray[np.bool_], churned: Vector) -> NDArray[np.bool_]:
    """What `tier_confidence` is the probability of."""
    kept = churned == 0
    return np.select([tiers == "A", tiers == "C"], [kept & is_high, kept & ~is_high], ~kept)


def _ece(p: Vector, happened: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> float:
    return probability.ece(outcomes.pair(p[chosen], happened[chosen].astype(np.float64)))


def markdown(rows: Sequence[Row]) -> list[str]:
    """One line per day; what is out of bounds is bold."""
    head = "| above the top | A–D | A | B | C | D | score | ECE of `p_high_value` | ECE of `tier_confidence` |"
    return [head, "|---|" + "--:|" * 8, *(_line(row) for row in rows)]


def _line(row: Row) -> str:
    above = [_above(row.above.get(name)) for name in ("A–D", *IN_GRID)]
    errors = [_bold(f"{ece:.3f}", ece > LARGEST_ECE) for ece in (row.ece_high, row.ece_sure)]
    return (
        f"| {row.case.name}, {row.as_of} | "
        + " | ".join([*above, _bold(f"{row.score:.2f}", row.score >= 1), *errors])
        + " |"
    )


def _above(share: float | None) -> str:
    if share is None:
        return "–"
    return _bold(f"{100 * share:.1f} %", abs(round(share - INTERVAL_TAIL, 6)) > WITHIN)


def _bold(text: str, is_out: bool) -> str:
    return f"**{text}**" if is_out else text
