"""How often 80 % intervals held, and how narrow they are: rolling days, beside the naive interval per number of orders.

    python -m benchmarks intervals

On each day the procedure runs on what was known and is held against the window after it. The naive interval is what
80 % of customers with as many repeat orders brought, on the same earlier windows that ours learned from.
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
from tiercast.contract.scores import INTERVAL_COVERAGE
from tiercast.contract.vectors import Vector
from tiercast.features import reading
from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import Sources
from tiercast.models import predict
from tiercast.models.bundle import About
from tiercast.models.predict import Predictions
from tiercast.training import train
from tiercast.training.evaluation import outcomes, probability
from tiercast.training.fit import churn_model, procedure, value_model
from tiercast.training.fit.procedure import Procedure
from tiercast.training.settings import Horizons, Settings
from tiercast.training.windows import sampling
from tiercast.training.windows.snapshots import Snapshot

LAST_BIN = 7
IN_GRID = ("A", "B", "C", "D")
LEAST_CUSTOMERS = 100
WITHIN, LARGEST_ECE, WIDEST = 0.05, 0.03, 0.8
SWINGING = simulate.World(days=1095, seasonality=0.4, refunds=0.02)
OnStep = Callable[[str], None]
Ends = tuple[Vector, Vector]


class Case(NamedTuple):
    """One history, its horizon in days for churn and value alike, the day it ends on, and the days to go back to."""

    name: str
    sources: Sources
    days: int
    ends: dt.date
    dates: tuple[dt.date, ...]


class Row(NamedTuple):
    """One day. `held` is by tier, "A–D" among them; a tier of fewer than 100 customers is left out."""

    case: Case
    as_of: dt.date
    held: dict[str, float]
    score: float
    width: float
    ece_high: float
    ece_sure: float


class Seen(NamedTuple):
    """The window after the day: predictions and outcomes."""

    predictions: Predictions
    value_cut: float
    actual: Vector
    churned: Vector
    repeats: Vector


class Learned(NamedTuple):
    """What naive intervals learn from: repeat orders and realised value on earlier windows."""

    repeats: Vector
    actual: Vector


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
    with Engine() as engine:
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
    predicted = predict.predict(run.bundle, {name: then.frame[name] for name in run.bundle.spec.names})
    repeats = then.features["n_repeat_orders"].to_numpy()
    return Seen(predicted, run.bundle.cuts.value, value_model.realised(then), churn_model.churned(then), repeats)


def _learned(run: Procedure) -> Learned:
    windows = [unseen.snapshot for unseen in run.value.unseen]
    repeats = np.concatenate([w.features["n_repeat_orders"].to_numpy() for w in windows])
    return Learned(repeats, np.concatenate([value_model.realised(w) for w in windows]))


def row(case: Case, day: dt.date, seen: Seen, learned: Learned) -> Row:
    """All numbers of one day."""
    sure, tiers = seen.predictions.certainty, seen.predictions.tiers
    ends, graded = (sure.value_low, sure.value_high), np.isin(tiers, IN_GRID)
    inside = holds(ends, seen.actual)
    shown = {tier: tiers == tier for tier in IN_GRID if (tiers == tier).sum() >= LEAST_CUSTOMERS}
    held = {name: float(inside[chosen].mean()) for name, chosen in {"A–D": graded, **shown}.items()}
    usual = interval_score(naive(learned, seen.repeats, INTERVAL_COVERAGE), seen.actual)[graded].mean()
    is_high = seen.actual >= seen.value_cut
    return Row(
        case,
        day,
        held,
        float(interval_score(ends, seen.actual)[graded].mean() / usual),
        _width(ends, seen, learned, shown),
        _ece(sure.p_high_value, is_high, graded),
        _ece(sure.tier_confidence, _borne_out(tiers, is_high, seen.churned), graded),
    )


def naive(learned: Learned, repeats: Vector, level: float) -> Ends:
    """Per number of repeat orders (0 to 7 and more) the central `level` of what such customers brought.

    From 0 where as many as a tail holds brought nothing; who has no like among the learned takes the interval of all.
    """
    tail = (1 - level) / 2
    bins = np.minimum(learned.repeats, LAST_BIN)
    low, high = np.zeros(LAST_BIN + 1), np.zeros(LAST_BIN + 1)
    for k in range(LAST_BIN + 1):
        alike = learned.actual[bins == k] if (bins == k).any() else learned.actual
        starts_at_zero = np.mean(alike <= 0) >= tail
        low[k] = 0.0 if starts_at_zero else np.quantile(alike, tail)
        high[k] = np.quantile(alike, level if starts_at_zero else 1 - tail, method="higher")
    place = np.minimum(repeats, LAST_BIN).astype(np.intp)
    return low[place], high[place]


def holds(ends: Ends, actual: Vector) -> NDArray[np.bool_]:
    return np.asarray((ends[0] <= actual) & (actual <= ends[1]))


def interval_score(ends: Ends, actual: Vector) -> Vector:
    """Width plus 2 / 0.2 times what lies outside (Gneiting & Raftery 2007, eq. 43); less is better.

    >>> interval_score((np.array([0.0, 0.0]), np.array([10.0, 10.0])), np.array([5.0, 12.0]))
    array([10., 30.])
    """
    low, high = ends
    miss = np.maximum(low - actual, 0.0) + np.maximum(actual - high, 0.0)
    return high - low + 2 / (1 - INTERVAL_COVERAGE) * miss


def _width(ends: Ends, seen: Seen, learned: Learned, tiers: dict[str, NDArray[np.bool_]]) -> float:
    """Our mean width over the naive one, the naive level moved in each tier until both hold as many there."""
    levels = [naive(learned, seen.repeats, level) for level in np.linspace(0.3, 0.99, 70)]
    ours = theirs = 0.0
    for chosen in tiers.values():
        share = holds(ends, seen.actual)[chosen].mean()
        like = min(levels, key=lambda e: abs(holds(e, seen.actual)[chosen].mean() - share))
        ours += float((ends[1] - ends[0])[chosen].sum())
        theirs += float((like[1] - like[0])[chosen].sum())
    return ours / theirs


def _borne_out(tiers: NDArray[np.str_], is_high: NDArray[np.bool_], churned: Vector) -> NDArray[np.bool_]:
    """What `tier_confidence` is the probability of."""
    kept = churned == 0
    return np.select([tiers == "A", tiers == "C"], [kept & is_high, kept & ~is_high], ~kept)


def _ece(p: Vector, happened: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> float:
    return probability.ece(outcomes.pair(p[chosen], happened[chosen].astype(np.float64)))


def markdown(rows: Sequence[Row]) -> list[str]:
    """One line per day; what is out of bounds is bold."""
    head = "| | A–D | A | B | C | D | score | width | ECE of `p_high_value` | ECE of `tier_confidence` |"
    return [head, "|---|" + "--:|" * 9, *(_line(row) for row in rows)]


def _line(row: Row) -> str:
    held = [_held(row.held.get(name)) for name in ("A–D", *IN_GRID)]
    numbers = [_bold(f"{row.score:.2f}", row.score >= 1), _bold(f"{row.width:.2f}", row.width > WIDEST)]
    errors = [_bold(f"{ece:.3f}", ece > LARGEST_ECE) for ece in (row.ece_high, row.ece_sure)]
    return f"| {row.case.name}, {row.as_of} | " + " | ".join([*held, *numbers, *errors]) + " |"


def _held(share: float | None) -> str:
    if share is None:
        return "–"
    return _bold(f"{share:.3f}", abs(round(share - INTERVAL_COVERAGE, 6)) > WITHIN)


def _bold(text: str, is_out: bool) -> str:
    return f"**{text}**" if is_out else text
