"""One date replayed: the procedure run (or a bundle requested) on what was known, then what happened beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from tiercast.contract import errors
from tiercast.contract.periods import YEAR_DAYS
from tiercast.contract.vectors import Vector
from tiercast.models import bundle as bundles
from tiercast.models import orders
from tiercast.models.bundle import About, Bundle
from tiercast.models.predict import Predictions
from tiercast.training.backtest.plan import Planned
from tiercast.training.evaluation import level, probability, ranking
from tiercast.training.evaluation.bootstrap import Measure
from tiercast.training.evaluation.scorecard import paired_difference
from tiercast.training.fit import procedure
from tiercast.training.judge import holdout, report
from tiercast.training.judge.holdout import CLOSED_FORM, MODEL, Earlier, Judged
from tiercast.training.settings import Settings
from tiercast.training.windows import schedule
from tiercast.training.windows.snapshots import Snapshot, Snapshots

GAINS: Mapping[str, Mapping[str, tuple[Measure, int]]] = {
    "churn": {"auc": (ranking.auc, 1), "brier": (probability.brier, -1)},
    "value": {"ngini": (ranking.ngini, 1), "mae": (level.mae, -1)},
}
"""The metrics compared with the closed form on the same customers; -1 where a smaller number is better."""


class Day(NamedTuple):
    """What one date gave. `card` is a scorecard, `gains` are ours over the closed form's, positive where better.

    `scores` has one row per buyer known on the day; None, with `not_judged` saying why, where too little was known.
    """

    as_of: dt.date
    card: Mapping[str, Any]
    gains: Mapping[str, Mapping[str, float]]
    cuts: Mapping[str, Any]
    scores: pa.Table | None
    not_judged: str | None = None


class _Bundled(NamedTuple):
    """A bundle as it was, with the newest windows closed by the day, which plain rules learn from."""

    bundle: Bundle
    newest_churn: Snapshot
    newest_value: Snapshot | None


def judge(snapshots: Snapshots, planned: Planned, settings: Settings, bundle: Bundle | None) -> Day:
    """Trained on the day, or scored by `bundle`, and judged on every window of the day that has closed."""
    day = planned.as_of
    try:
        was = _bundled(snapshots.until(day), bundle, day, settings) if bundle else _trained(snapshots, day, settings)
        now = snapshots.by(orders.name(was.bundle.btyd.orders)).at(day)
    except (errors.NotEnoughData, errors.FitFailed) as error:
        return Day(day, {}, {}, {}, None, ", ".join(part for part in (error.what, error.first) if part))
    churn = holdout.judge_churn(was, now, settings) if now.churned is not None else None
    value = holdout.judge_value(was, now, settings) if now.value is not None else None
    judged = {"churn": churn, "value": value and value.judged}
    predictions = next(found.predictions for found in judged.values() if found)
    gains = {name: gain for target, found in judged.items() if found for name, gain in _gains(target, found, settings)}
    card = report.scorecard(churn, value, _open(planned))
    return Day(day, card, gains, was.bundle.cuts._asdict(), _scores(now, predictions))


def needed(first_on: dt.date, day: dt.date, settings: Settings) -> set[dt.date]:
    """Every date whose snapshot that day needs, the year before each included."""
    most = settings.rolling.most_windows
    dates = {day, *(d for horizon in settings.horizons.both for d in schedule.plan(first_on, day, horizon, most))}
    return dates | {d - dt.timedelta(YEAR_DAYS) for d in dates}


def _trained(snapshots: Snapshots, day: dt.date, settings: Settings) -> Earlier:
    h = settings.horizons
    about = About(day, h.churn_days, h.value_days, settings.clv.monthly_rate, settings.clv.currency)
    run = procedure.run(snapshots.until(day), day, settings, about)
    holdout.newest_window(run)
    return run


def _bundled(known: Snapshots, bundle: Bundle, day: dt.date, settings: Settings) -> Earlier:
    known = known.by(orders.name(bundle.btyd.orders))
    churn, value = (
        known.all_at(schedule.plan(known.first_on, day, days, settings.rolling.most_windows)[-1:])
        for days in settings.horizons.both
    )
    if not churn:
        raise errors.NotEnoughData(
            "no churn window had closed, so there is nothing for plain rules to learn from",
            first=f"known from {known.first_on} to {day}",
            hint="pass a later --from",
        )
    return _Bundled(bundles.dated(bundle, day), churn[0], value[0] if value else None)


def _gains(target: str, judged: Judged, settings: Settings) -> list[tuple[str, dict[str, float]]]:
    r, ours, theirs = settings.rolling, judged.forecasts[MODEL], judged.forecasts[CLOSED_FORM]
    found = []
    for name, (measure, sign) in GAINS[target].items():
        gain = paired_difference(measure, ours, theirs, judged.actual, r.bootstrap_draws, r.seed)
        low, high = sorted((sign * gain.low, sign * gain.high))
        found.append((f"{target}_{name}", {"value": sign * gain.value, "low": low, "high": high}))
    return found


def _open(planned: Planned) -> list[str]:
    closes = {"Churn": planned.churn_closes, "Value": planned.value_closes}
    return [f"{name} was not judged: its window had not closed." for name, end in closes.items() if end is None]


def _scores(now: Snapshot, p: Predictions) -> pa.Table:
    """One row per buyer, by id: forecast and outcome; the outcome is null while its window is open."""
    n, sure = len(p.value), p.certainty
    forecasts = {"p_churn": p.p_churn, "value": p.value, "value_low": sure.value_low, "value_high": sure.value_high}
    churned = pa.nulls(n, pa.bool_()) if now.churned is None else pa.array(now.churned > 0)
    return pa.table(
        {
            "customer_id": now.customer_id,
            "as_of": pa.array(np.full(n, np.datetime64(now.as_of)), pa.date32()),
            "tier": pa.array(p.tiers.astype(object), pa.string()),
            **{name: _numbers(column) for name, column in forecasts.items()},
            "actual_value": pa.nulls(n, pa.float64()) if now.value is None else _numbers(now.value),
            "churned": churned,
        }
    )


def _numbers(column: Vector) -> pa.Array:
    return pa.array(column, pa.float64(), from_pandas=True)
