"""Train: judge the procedure on the newest closed windows, then run it on everything for the bundle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tiercast.contract import errors, inputs
from tiercast.features.engines import Engine
from tiercast.features.reading import Reading
from tiercast.features.tables import Tables
from tiercast.models.bundle import About, Bundle
from tiercast.training import progress
from tiercast.training.btyd import fit_both
from tiercast.training.btyd.fit_both import Fits
from tiercast.training.fit import churn_model, procedure, value_model
from tiercast.training.fit.procedure import Procedure
from tiercast.training.judge import floor, holdout, notes, report, weekly
from tiercast.training.judge.holdout import Judged, ValueJudged
from tiercast.training.progress import OnStep, StepTimer
from tiercast.training.settings import Settings
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


def train(
    engine: Engine,
    reading: Reading,
    settings: Settings,
    on_step: OnStep = progress.ignore,
    *,
    blocked: Sequence[str] = (),
) -> Trained:
    """Fit, judge and refit. `on_step` receives the name of each of `STEPS` as it begins.

    `blocked` names the targets for which `readiness` found too little data; the bundle records them.

    Raises NotEnoughData, or what the fits raise.
    """
    steps, h = StepTimer(on_step), settings.horizons
    span = reading.report.first_on, reading.as_of
    steps.begin("features")
    sample = sampling.draw(engine, reading.tables, settings.rolling.most_customers)
    snapshots = open_snapshots(engine, sample.tables, span, settings)
    data = fingerprint.digest(engine, sample.tables if sample.share == 1 else reading.tables)
    unit = _unit(snapshots, settings)
    about = About(span[1], *h.both, monthly_rate=settings.clv.monthly_rate, currency=unit, data=data)
    testable_on = {days: _testable_on(span, h.churn_days, days).isoformat() for days in h.both}
    steps.begin("churn holdout")
    earlier = run_earlier(snapshots, h.churn_days, settings, about)
    churn = _judge_churn(earlier, snapshots, settings) if earlier else None
    steps.begin("value holdout")
    earlier = earlier if h.value_days == h.churn_days else run_earlier(snapshots, h.value_days, settings, about)
    value = _judge_value(earlier, snapshots, settings) if earlier else None
    steps.begin("final models")
    beaten = floor.beaten(churn, value.judged if value else None)
    about = about._replace(
        blocked=" and ".join(blocked),
        churn_testable_on="" if churn else testable_on[h.churn_days],
        value_testable_on="" if value else testable_on[h.value_days],
    )
    final = procedure.run(snapshots, span[1], settings, about, floor.winners(beaten))
    fits = fit_both.fits(final.now.features, final.orders.model)
    seconds = steps.finish()
    remarks = (
        *final.bundle.about.limits,
        *(each.sentence for each in beaten),
        *notes.describe_run(sample, final, fits, span, h),
    )
    card = report.scorecard(churn, value, remarks, reading.report, beaten)
    bundle = final.bundle._replace(scorecard=card)
    return Trained(bundle, settings, final, fits, churn, value, data, span, remarks, seconds)


def _testable_on(span: tuple[dt.date, dt.date], churn_days: int, days: int) -> dt.date:
    """Where a pause of the shop and not the length of history is what hinders a test, a window from today on."""
    day = schedule.testable_on(span[0], churn_days, days)
    return day if day > span[1] else span[1] + dt.timedelta(days)


def _unit(snapshots: Snapshots, settings: Settings) -> str:
    """The unit of value: the configured currency, or orders where no amount is read. Raises BadInput for both."""
    currency = settings.clv.currency
    if not snapshots.spec.counts_orders:
        return currency
    if currency not in ("", inputs.ORDERS):
        raise errors.BadInput(
            "orders are counted, and a number of orders has no currency",
            first=f"clv.currency = {currency!r}",
            hint="leave clv.currency out of the configuration, or --amount none",
        )
    return inputs.ORDERS


def open_snapshots(engine: Engine, tables: Tables, span: tuple[dt.date, dt.date], settings: Settings) -> Snapshots:
    """The snapshots of a history, with the features that its earliest windows can already support."""
    judged = span[1] - dt.timedelta(min(settings.horizons.both))
    spec = spec_choice.for_day(engine, tables, span[0], judged, settings)
    return Snapshots(engine, tables, span, spec, settings.horizons)


def run_earlier(snapshots: Snapshots, days: int, settings: Settings, about: About) -> Procedure | None:
    """The procedure as it would have run `days` before the end of the history; None where too little was known.

    The features are chosen anew, from what was known on that day: nothing later changes the bundle that is judged.
    """
    day = snapshots.known_until - dt.timedelta(days)
    if not schedule.plan(snapshots.first_on, day, settings.horizons.churn_days, 1):
        return None
    spec = spec_choice.as_known(snapshots.engine, snapshots.tables, day, snapshots.spec)
    try:
        run = procedure.run(snapshots.with_spec(spec).until(day), day, settings, about)
        holdout.newest_window(run)
    except (errors.NotEnoughData, errors.FitFailed):
        return None
    return run


def _judge_churn(earlier: Procedure, snapshots: Snapshots, settings: Settings) -> Judged | None:
    """None where nobody came back in the window: a pause of the shop is no test."""
    outcome = _outcome(snapshots, earlier)
    return holdout.judge_churn(earlier, outcome, settings) if churn_model.has_returned(outcome) else None


def _judge_value(earlier: Procedure, snapshots: Snapshots, settings: Settings) -> ValueJudged | None:
    """None where nobody brought money in the window."""
    outcome = _outcome(snapshots, earlier)
    if not value_model.has_money(outcome):
        return None
    judged = holdout.judge_value(earlier, outcome, settings)
    day, days, orders = earlier.now.as_of, settings.horizons.value_days, earlier.bundle.btyd.orders
    return judged._replace(weekly=weekly.track(snapshots.engine, snapshots.tables, day, days, orders))


def _outcome(snapshots: Snapshots, earlier: Procedure) -> Snapshot:
    """The first day of the holdout with its labels, in the features and the order model of the judged bundle."""
    return snapshots.with_spec(earlier.bundle.spec).by(earlier.orders.model).at(earlier.now.as_of)
