"""`tiercast check`: is this data enough, and what is wrong with it?"""

from __future__ import annotations

from typing import Annotated

import typer

from tiercast.commands import grouping, options
from tiercast.contract.periods import YEAR_DAYS
from tiercast.terminal import console, readiness
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
    report, verdicts = checking.check(sources, day, churn_days, value_days, engine.choose())
    if json:
        console.print_json({"reading": report.as_dict(), "readiness": verdicts.as_dict()})
        return
    if day is None:
        console.print_note(f"--as-of was not given: {report.as_of}, the day after the newest transaction, is taken.")
    for text in report.lines():
        console.print_line(text)
    readiness.print_readiness(verdicts)
