"""`tiercast backtest`: past months' forecasts against what happened, date by date."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

from tiercast.commands import grouping, options
from tiercast.contract.errors import BadInput
from tiercast.terminal import console
from tiercast.workflows import backtest as backtest_workflow
from tiercast.workflows import bundles

if TYPE_CHECKING:
    from tiercast.models.bundle import Bundle
    from tiercast.training.backtest.plan import DateRange
    from tiercast.training.settings import Settings


def add_to(app: typer.Typer) -> None:
    example = "tiercast backtest orders.parquet --from 2024-01-01 --to 2024-06-01 --every 30d --value-days 90"
    app.command(epilog=f"Example: {example}")(grouping.expand(backtest))


def backtest(
    source: options.SourceOptions,
    *,
    first: Annotated[str, typer.Option("--from", help="The first date to replay, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="The last date to replay, YYYY-MM-DD.")],
    every: Annotated[
        str, typer.Option("--every", help="The step between dates: days, weeks or months (30d, 2w, 1m).")
    ] = "30d",
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="Where the data end, YYYY-MM-DD: left out, the day after the newest row."),
    ] = None,
    settings: options.SettingsOptions,
    bundle: Annotated[
        pathlib.Path | None,
        typer.Option("--bundle", help="Judge this bundle on each date, instead of training on what was known then."),
    ] = None,
    model: options.Model = None,
    out: Annotated[
        pathlib.Path, typer.Option("--out", help="Folder for the results; finished dates in it are not repeated.")
    ] = pathlib.Path("backtest"),
    tracked: options.Tracked = True,
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Replay history: on each date train (or score) on what was known, then compare with what happened."""
    dates = _parse_dates(first, last, every)
    chosen = settings.load()
    loaded = bundles.load(bundle, model) if bundle or model else None
    chosen = _with_horizons_of(loaded, chosen) if loaded else chosen
    sources, day = source.sources(chosen, kept=loaded.about.reading if loaded else ""), options.parse_day(as_of)
    done, run = backtest_workflow.replay(sources, day, dates, chosen, out, loaded, tracked=tracked, memory=memory)
    if day is None:
        end = f"the data end on {done.known_until}, the day after the newest transaction."
        console.print_note(f"--as-of was not given: {end}")
    if json:
        console.print_json({"out": str(out), "run": run, "dates_taken_from_out": done.n_kept, **done.as_dict()})
        return
    from tiercast.terminal import backtest as backtest_tables

    backtest_tables.print_study(done)
    console.print_line(f"{backtest_tables.count_dates(done)}: {out}" + (f", run {run}" if run else ""))


def _parse_dates(first: str, last: str, every: str) -> DateRange:
    from tiercast.training.backtest import plan

    return plan.DateRange(options.parse_date(first, "--from"), options.parse_date(last, "--to"), plan.every(every))


def _with_horizons_of(bundle: Bundle, settings: Settings) -> Settings:
    """The settings with the bundle's own horizons. Raises BadInput where the settings name others."""
    about, horizons = bundle.about, settings.horizons
    own = {"churn_days": about.churn_days, "value_days": about.value_days}
    other = [name for name in sorted(horizons.model_fields_set) if getattr(horizons, name) != own[name]]
    if other:
        name = other[0]
        raise BadInput(
            "the bundle was trained for another horizon",
            first=f"{name} {getattr(horizons, name)}, the bundle's {own[name]}",
            hint="leave out --churn-days and --value-days: the bundle's own are taken; or leave out --bundle",
        )
    return settings.model_copy(update={"horizons": type(horizons)(**own)})
