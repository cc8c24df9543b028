"""`tiercast check`: is this data enough, and what is wrong with it?"""

from __future__ import annotations

from typing import Annotated

import typer

from tiercast.commands import grouping, options
from tiercast.contract.periods import YEAR_DAYS
from tiercast.terminal import console, data_profile, readiness
from tiercast.workflows import check as checking


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: tiercast check orders.parquet --as-of 2024-06-30")(grouping.expand(check))


def check(
    source: options.SourceOptions,
    *,
    as_of: options.AsOf = None,
    churn_days: Annotated[
        int | None, typer.Option("--churn-days", min=1, max=3650, help="Churn horizon; left out, one is proposed.")
    ] = None,
    value_days: Annotated[
        int, typer.Option("--value-days", min=1, max=3650, help="Value horizon in days.")
    ] = YEAR_DAYS,
    config: options.Config = None,
    engine: options.EngineOptions,
    json: options.Json = False,
) -> None:
    """Read the data, count the dropped rows by reason, and say per capability whether there is enough.

    Nothing is changed and nothing is written.
    """
    sources, day = source.sources(options.load_settings(config)), options.parse_day(as_of)
    done = checking.check(sources, day, churn_days, value_days, engine.choose())
    if json:
        console.print_json(
            {
                "reading": done.report.as_dict(),
                "profile": done.profile.as_dict(),
                "readiness": done.readiness.as_dict(),
            }
        )
        return
    if day is None:
        console.print_note(
            f"--as-of was not given: {done.report.as_of}, the day after the newest transaction, is taken."
        )
    for text in done.report.lines():
        console.print_line(text)
    data_profile.print_profile(done.profile)
    readiness.print_readiness(done.readiness)
