"""Run the procedure on every day of every case, and set its forecasts beside the rules'."""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.rolling import against, kept, naive_range, rules
from benchmarks.rolling.against import Comparison, Forecast
from benchmarks.rolling.cases import Case
from tiercast.contract import errors
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.models import predict
from tiercast.models.bundle import About
from tiercast.training.evaluation import ranges
from tiercast.training.evaluation.ranges import RangeShares
from tiercast.training.fit import churn_model, procedure, value_model
from tiercast.training.fit.procedure import Procedure
from tiercast.training.judge import holdout
from tiercast.training.settings import Rolling, Settings
from tiercast.training.windows.snapshots import Snapshot, Snapshots

Report = Callable[[str], None]


class Day(NamedTuple):
    """What one day of a case said, beside what happened. Scores are mean interval scores in money.

    `naive_score` is NaN where the naive range had nothing to learn from.
    """

    case: Case
    as_of: dt.date
    n_customers: int
    comparisons: tuple[Comparison, ...]
    shares: RangeShares
    score: float
    naive_score: float


def measure(
    cases: Sequence[Case], folder: pathlib.Path, report: Report = lambda _: None, rolling: Rolling | None = None
) -> list[Day]:
    """Every day of every case; a day on which too little was known is left out, with a word."""
    return [day for case in cases for day in _days(case, folder, report, rolling or Rolling(threads=1))]


def _days(case: Case, folder: pathlib.Path, report: Report, rolling: Rolling) -> Iterator[Day]:
    settings = Settings(horizons=case.horizons, rolling=rolling)
    with DuckDBEngine(threads=1) as engine:
        for as_of in case.days:
            report(f"{case.title}, {as_of}")
            history = kept.history(engine, case, as_of, settings, folder)
            try:
                yield judge(case, as_of, history, settings)
            except errors.NotEnoughData as error:
                report(f"left out: {error}")


def judge(case: Case, as_of: dt.date, history: Snapshots, settings: Settings) -> Day:
    """One day: the procedure on what was known, against the windows that began then."""
    about = About(as_of=as_of, churn_days=case.horizons.churn_days, value_days=case.horizons.value_days)
    run = procedure.run(history.until(as_of), as_of, settings, about)
    then = history.at(as_of)
    forecast = _forecast(run, then)
    plain = rules.forecast(then, holdout.newest_window(run), run.newest_value, case.horizons)
    churned, value = churn_model.churned(then), value_model.realised(then)
    naive = naive_range.naive(_learned(run), then.features["n_repeat_orders"].to_numpy())
    return Day(
        case,
        as_of,
        len(value),
        tuple(against.compare(forecast, plain, churned, value)),
        ranges.shares(forecast.low, forecast.high, value),
        float(naive_range.interval_score(forecast.low, forecast.high, value).mean()),
        float("nan") if naive is None else float(naive_range.interval_score(*naive, value).mean()),
    )


def _forecast(run: Procedure, then: Snapshot) -> Forecast:
    said = predict.predict(run.bundle, then.columns(run.bundle.spec.names))
    return Forecast(said.p_churn, said.value, said.certainty.value_low, said.certainty.value_high)


def _learned(run: Procedure) -> naive_range.Learned:
    """Repeat orders and value on the windows that the procedure's own ranges learned from."""
    windows = [unseen.snapshot for unseen in run.value.unseen]
    if not windows:
        return naive_range.Learned(np.zeros(0), np.zeros(0))
    repeats = np.concatenate([window.features["n_repeat_orders"].to_numpy() for window in windows])
    return naive_range.Learned(repeats, np.concatenate([value_model.realised(window) for window in windows]))
