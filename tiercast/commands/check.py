"""`tiercast check`: is this data enough, and what is wrong with it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tiercast import engines, options, say

if TYPE_CHECKING:
    import datetime as dt

    from tiercast.engines import Choice
    from tiercast.features.reading import ReadingReport, Sources
    from tiercast.training.check.readiness import Readiness


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: tiercast check orders.parquet --as-of 2024-06-30")(check)


def check(
    data: options.Data,
    as_of: options.AsOf = None,
    churn_days: Annotated[
        int | None, typer.Option("--churn-days", min=1, max=3650, help="Churn horizon; left out, one is proposed.")
    ] = None,
    value_days: Annotated[int, typer.Option("--value-days", min=1, max=3650, help="Value horizon in days.")] = 365,
    customers: options.Customers = None,
    interactions: options.Interactions = None,
    column: options.ColumnNames = None,
    engine: options.Engine = "duckdb",
    master: options.Master = None,
    json: options.Json = False,
) -> None:
    """Read the data, count what is dropped and why, and say per capability whether there is enough.

    Nothing is changed and nothing is written.
    """
    where = options.sources(data, customers, interactions, column, {})
    read, found = measure(where, options.day(as_of), churn_days, value_days, engines.choose(engine, master))
    if json:
        say.as_json({"reading": read.as_dict(), "readiness": found.as_dict()})
        return
    if as_of is None:
        say.note(f"--as-of was not given: {read.as_of}, the day after the newest transaction, is taken.")
    from tiercast import show

    for text in read.lines():
        say.line(text)
    show.readiness(found)


def measure(
    where: Sources,
    as_of: dt.date | None,
    churn_days: int | None,
    value_days: int,
    on: Choice = engines.DEFAULT,
) -> tuple[ReadingReport, Readiness]:
    """What was read, and what it is enough for."""
    from tiercast.features import reading
    from tiercast.training.check import readiness

    with on.start() as engine, say.progress("check", 2) as step:
        step("reading")
        read = reading.read(engine, where, as_of)
        step("measuring")
        return read.report, readiness.check(read.tables, read.report, read.as_of, churn_days, value_days)
