"""Train: judge the procedure on the newest windows, then run it on everything for the bundle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from tiercast.contract import errors
from tiercast.contract.periods import YEAR_DAYS
from tiercast.features.engines import Engine
from tiercast.features.reading import Reading
from tiercast.features.tables import Tables
from tiercast.models import orders
from tiercast.models.bundle import About, Bundle
from tiercast.training.btyd import fit_both
from tiercast.training.btyd.fit_both import Fits
from tiercast.training.fit import procedure
from tiercast.training.fit.procedure import Procedure
from tiercast.training.judge import floor, holdout, report, weekly
from tiercast.training.judge.holdout import Judged, ValueJudged
from tiercast.training.settings import Settings
from tiercast.training.stopwatch import Stopwatch, Tell
from tiercast.training.windows import fingerprint, sampling, schedule, spec_choice
from tiercast.training.windows.snapshots import Snapshot, Snapshots

STEPS = ("features", "churn holdout", "value holdout", "final models")


class Trained(NamedTuple):
    """The bundle to use, and everything a run is compared by. A holdout is None where history is too short for one.

    `seconds` is how long each of `STEPS` took.
    """

    bundle: Bundle
    settings: Settings
    final: Procedure
    closed_form: Fits
    churn: Judged | None
    value: ValueJudged | None
    data: str
    span: tuple[dt.date, dt.date]
    notes: tuple[str, ...]
    seconds: Mapping[str, float]


def train(engine: Engine, reading: Reading, settings: Settings, tell: Tell = lambda _: None) -> Trained:
    """Fit, judge and refit. `tell` is called with the name of each of `STEPS` as it begins.

    Raises NotEnoughData, or what the fits raise.
    """
    first_on, as_of = reading.report.first_on, reading.as_of
    watch = Stopwatch(tell)
    watch(STEPS[0])
    sample = sampling.draw(engine, reading.tables, settings.rolling.most_customers)
    snapshots = snapshots_of(engine, sample.tables, (first_on, as_of), settings)
    about = About(
        as_of=as_of,
        churn_days=settings.horizons.churn_days,
        value_days=settings.horizons.value_days,
        monthly_rate=settings.clv.monthly_rate,
        currency=settings.clv.currency,
        data=fingerprint.of(engine, sample.tables if sample.share == 1 else reading.tables),
    )
    watch(STEPS[1])
    then = _as_it_was(snapshots, as_of - dt.timedelta(settings.horizons.churn_days), settings, about)
    churn = holdout.judge_churn(then, _outcome(snapshots, then), settings) if then else None
    watch(STEPS[2])
    then = _as_it_was(snapshots, as_of - dt.timedelta(settings.horizons.value_days), settings, about, then)
    value = _judge_value(then, snapshots, settings) if then else None
    watch(STEPS[3])
    final = procedure.run(snapshots, as_of, settings, about)
    fits = fit_both.fits(final.now.features, final.orders.model)
    said = _notes(final, fits, churn, value, (as_of - first_on).days, settings)
    beaten = floor.beaten(churn, value.judged if value else None)
    notes = (*beaten, sample.note, *said) if sample.note else (*beaten, *said)
    read = reading.report
    card = report.scorecard(churn, value, notes) | {
        "beaten": list(beaten),
        "rows": {"known": read.rows_known, "dropped": read.dropped_known},
    }
    bundle = final.bundle._replace(scorecard=card)
    return Trained(bundle, settings, final, fits, churn, value, about.data, (first_on, as_of), notes, watch.stop())


def snapshots_of(engine: Engine, tables: Tables, span: tuple[dt.date, dt.date], settings: Settings) -> Snapshots:
    """The snapshots of a history, with the features that its earliest windows can already support."""
    judged = span[1] - dt.timedelta(min(settings.horizons.both))
    spec = spec_choice.for_day(engine, tables, span[0], judged, settings)
    return Snapshots(engine, tables, span, spec, settings.horizons)


def _as_it_was(
    snapshots: Snapshots, day: dt.date, settings: Settings, about: About, before: Procedure | None = None
) -> Procedure | None:
    """The procedure run on that day; None where too little was known. `before` is used again if it is of that day."""
    if before is not None and before.now.as_of == day:
        return before
    if not schedule.plan(snapshots.first_on, day, settings.horizons.churn_days, 1):
        return None
    try:
        return procedure.run(snapshots.until(day), day, settings, about)
    except errors.NotEnoughData:
        return None


def _judge_value(was: Procedure, snapshots: Snapshots, settings: Settings) -> ValueJudged:
    begins = was.now.as_of
    judged = holdout.judge_value(was, _outcome(snapshots, was), settings)
    known, orders = snapshots.tables, was.bundle.btyd.orders
    return judged._replace(weekly=weekly.track(snapshots.engine, known, begins, settings.horizons.value_days, orders))


def _outcome(snapshots: Snapshots, was: Procedure) -> Snapshot:
    """The holdout's first day with what happened after it, seen by the order model that was chosen before."""
    return snapshots.by(was.orders.model).at(was.now.as_of)


def _notes(
    final: Procedure, fits: Fits, churn: Judged | None, value: ValueJudged | None, days: int, settings: Settings
) -> tuple[str, ...]:
    h = settings.horizons
    said: list[Any] = [
        f"Churn: {final.churn.note}",
        f"Value: {final.value.note}",
        final.orders.note,
        f"{orders.title(fits.orders.params)}: {fits.orders.note}",
        f"Gamma-Gamma: {fits.money.note}",
        fits.independence.warning and f"Gamma-Gamma: {fits.independence.warning}.",
        churn is None and "Churn was not judged: the history is too short for a holdout.",
        value is None and "Value was not judged: the history is too short for a holdout.",
        days < YEAR_DAYS + h.value_days
        and "Less than a full year before the window is known: yearly seasons cannot be seen.",
        not final.value.unseen
        and "No value window has closed: intervals come from the closed form, not from outcomes.",
    ]
    return tuple(str(note) for note in said if note)
