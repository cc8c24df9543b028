"""A whole backtest: every date replayed, each kept on disk as it is finished, then looked at together."""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from tiercast.contract import errors
from tiercast.features import reading, schema
from tiercast.features.engines import Engine
from tiercast.features.reading import Reading, Sources
from tiercast.features.spec import FeatureSpec
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.training import progress
from tiercast.training.backtest import bands, by_tier, day, digest, folder, inputs, over_time, panel, plan
from tiercast.training.backtest.bands import BandRow
from tiercast.training.backtest.by_tier import TierRow
from tiercast.training.backtest.day import Day
from tiercast.training.backtest.inputs import Inputs
from tiercast.training.backtest.over_time import Overall
from tiercast.training.backtest.plan import DateRange, Plan, Planned
from tiercast.training.progress import OnStep
from tiercast.training.settings import Settings
from tiercast.training.windows import schedule, spec_choice
from tiercast.training.windows.snapshots import Snapshots

TRAINED = "trained on each date"
SUMMARY = "summary.json"


class Backtest(NamedTuple):
    """What came out. `n_kept` dates were finished before and taken from the folder; `data` is their last digest."""

    requested: DateRange
    plan: Plan
    settings: Settings
    model: str
    known_until: dt.date
    data: str
    days: tuple[Day, ...]
    n_kept: int
    overall: list[Overall]
    tiers: list[TierRow]
    bands: list[BandRow]

    @property
    def judged(self) -> list[Day]:
        return [each for each in self.days if each.not_judged is None]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, the same however often the backtest was interrupted; no customer is in it."""
        requested, h = self.requested, self.settings.horizons
        return {
            "from": requested.first.isoformat(),
            "to": requested.last.isoformat(),
            "every": str(requested.every),
            "churn_days": h.churn_days,
            "value_days": h.value_days,
            "model": self.model,
            "data": self.data,
            "stopped_before": self.plan.first_open and self.plan.first_open.isoformat(),
            "dates": [_plain(each) for each in self.days],
            "overall": [row._asdict() for row in self.overall],
            "tiers": [row._asdict() for row in self.tiers],
            "bands": [
                row._asdict() | {"flip_back": row.flip_back._asdict(), "captured": row.captured._asdict()}
                for row in self.bands
            ],
        }


def run(
    engine: Engine,
    sources: Sources,
    as_of: dt.date | None,
    requested: DateRange,
    settings: Settings,
    place: pathlib.Path,
    *,
    bundle: Bundle | None = None,
    on_step: OnStep = progress.ignore,
) -> Backtest:
    """Replay the requested dates. `as_of` is where the data end; None takes the day after the newest row.

    With a `bundle`, `settings.horizons` must be its own. Raises `BadInput` and its kinds; what is finished stays.
    """
    folder.check(place)
    on_step("reading")
    read = reading.read(engine, sources, as_of, is_counted=False)
    planned = plan.plan(requested, read.as_of, settings.horizons)
    tables = read.tables._replace(transactions=engine.store("known", read.tables.transactions))
    read = read._replace(tables=tables)
    spec = _spec(engine, sources, read, planned, settings, bundle)
    rows = digest.rows(engine, tables)
    stamp = bundle_folder.digest(bundle)[:16] if bundle else None
    wanted = [inputs.collect(each, rows, spec, settings, stamp) for each in planned.dates]
    kept = [folder.read(place, now) for now in wanted]
    snapshots = Snapshots(engine, tables, (read.report.first_on, read.as_of), spec, settings.horizons)
    days = _days(snapshots, planned, wanted, kept, settings, place, bundle, on_step)
    _refuse_nothing(days)
    done = _together(requested, planned, settings, read.as_of, bundle, wanted[-1]["data"], days, sum(map(bool, kept)))
    folder.put_json(place / SUMMARY, done.as_dict())
    return done


def _spec(
    engine: Engine, sources: Sources, read: Reading, planned: Plan, settings: Settings, bundle: Bundle | None
) -> FeatureSpec:
    """The bundle's; else what was known on the first date that can be judged supports, for all dates alike."""
    if bundle is not None:
        _refuse_earlier(planned, bundle)
        schema.require(bundle.spec, read.tables)
        return bundle.spec
    first_on, horizon = read.report.first_on, settings.horizons.churn_days
    able = [each.as_of for each in planned.dates if schedule.plan(first_on, each.as_of, horizon, 1)]
    if not able:
        raise _too_early(planned, first_on, horizon)
    then = reading.read(engine, sources, able[0], is_counted=False)
    return spec_choice.for_day(engine, then.tables, first_on, able[0], settings)


def _days(
    snapshots: Snapshots,
    planned: Plan,
    wanted: Sequence[Inputs],
    kept: Sequence[Day | None],
    settings: Settings,
    place: pathlib.Path,
    bundle: Bundle | None,
    on_step: OnStep,
) -> list[Day]:
    """Finished dates as they were kept; the others judged, written and read again, so that both are the same."""
    for at, (each, now, found) in enumerate(zip(planned.dates, wanted, kept, strict=True)):
        on_step(str(each.as_of))
        if found is None:
            folder.write(place, day.judge(snapshots, each, settings, bundle), now)
            snapshots.forget_all_but(_ahead(snapshots.first_on, planned.dates[at + 1 :], settings))
    on_step("all dates together")
    done = (found or folder.read(place, now) for now, found in zip(wanted, kept, strict=True))
    return [each for each in done if each is not None]


def _ahead(first_on: dt.date, rest: Sequence[Planned], settings: Settings) -> set[dt.date]:
    return {date for each in rest for date in day.needed(first_on, each.as_of, settings)}


def _together(
    requested: DateRange,
    planned: Plan,
    settings: Settings,
    known_until: dt.date,
    bundle: Bundle | None,
    data: str,
    days: Sequence[Day],
    n_kept: int,
) -> Backtest:
    r = settings.rolling
    model = f"bundle {bundle.about.model}" if bundle else TRAINED
    calm = bands.sweep(panel.panel(days), r.bootstrap_draws, r.seed)
    results = (over_time.overall(days), by_tier.by_tier(days), calm)
    return Backtest(requested, planned, settings, model, known_until, data, tuple(days), n_kept, *results)


def _plain(each: Day) -> dict[str, Any]:
    record = {"as_of": each.as_of.isoformat(), "not_judged": each.not_judged}
    n = None if each.scores is None else each.scores.num_rows
    return record | {"n_customers": n, "card": each.card, "gains": each.gains, "cuts": each.cuts}


def _refuse_earlier(planned: Plan, bundle: Bundle) -> None:
    """A bundle knows what happened before its own day, so it cannot be judged on it."""
    known_until = bundle.about.as_of
    early = [each.as_of for each in planned.dates if each.as_of < known_until]
    if early:
        raise errors.BundleRefused(
            f"the bundle was trained on what happened until {known_until}, so its scores would know their future",
            count=len(early),
            total=len(planned.dates),
            unit="dates",
            first=str(early[0]),
            hint=f"pass --from {known_until} or later, or leave out --bundle to train on each date",
        )


def _too_early(planned: Plan, first_on: dt.date, horizon: int) -> errors.NotEnoughData:
    least = first_on + dt.timedelta(horizon + horizon // 2)
    return errors.NotEnoughData(
        f"none of these dates has a closed window of {horizon} days, with half a window before it, behind it",
        count=len(planned.dates),
        total=len(planned.dates),
        unit="dates",
        first=f"as of {planned.dates[0].as_of}, first transaction {first_on}",
        hint=f"pass --from {least} or later, or a shorter --churn-days",
    )


def _refuse_nothing(days: Sequence[Day]) -> None:
    if all(each.not_judged for each in days):
        raise errors.NotEnoughData(
            "too little was known on any of these dates",
            count=len(days),
            total=len(days),
            unit="dates",
            first=f"as of {days[0].as_of}: {days[0].not_judged}",
            hint="pass a later --from, shorter horizons, or more history; `tiercast check` says what is needed",
        )
