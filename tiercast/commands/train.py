"""`tiercast train`: learn from history, judge on the newest window, write a bundle, log the run."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

from tiercast import engines, options, say
from tiercast.contract.errors import BadInput

if TYPE_CHECKING:
    from tiercast.engines import Choice
    from tiercast.features.reading import Sources
    from tiercast.training.settings import Settings
    from tiercast.training.train import Trained


def add_to(app: typer.Typer) -> None:
    example = "tiercast train orders.parquet --as-of 2024-06-30 --churn-days 90 --value-days 365 --bundle out/bundle"
    app.command(epilog=f"Example: {example}")(train)


def train(
    data: options.Data,
    as_of: options.AsOf = None,
    churn_days: options.ChurnDays = None,
    value_days: options.ValueDays = None,
    bundle: Annotated[pathlib.Path, typer.Option("--bundle", help="Folder to write the bundle to.")] = pathlib.Path(
        "out/bundle"
    ),
    config: options.Config = None,
    register: Annotated[bool, typer.Option("--register", help="Register the bundle in MLflow as challenger.")] = False,
    tracked: options.Tracked = True,
    customers: options.Customers = None,
    interactions: options.Interactions = None,
    column: options.ColumnNames = None,
    engine: options.Engine = "duckdb",
    master: options.Master = None,
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Train churn and value models on everything before --as-of and judge them on the newest full window."""
    chosen = options.settings(config, churn_days, value_days)
    where = options.sources(data, customers, interactions, column, chosen.columns)
    if register and not tracked:
        raise BadInput("--register needs MLflow", first="--no-mlflow", hint="leave out --no-mlflow")
    on = engines.choose(engine, master, memory)
    trained, run = fit_and_keep(where, as_of, chosen, bundle, register=register, tracked=tracked, on=on)
    if json:
        say.as_json(
            {"bundle": str(bundle), "run": run, "as_of": trained.bundle.about.as_of, **trained.bundle.scorecard}
        )
        return
    tell(trained, bundle, run)


def tell(trained: Trained, bundle: pathlib.Path, run: str | None) -> None:
    """The report card, the notes, and where everything is."""
    from tiercast import show

    show.scorecard(trained.bundle.scorecard)
    for text in trained.notes:
        say.line(f"* {text}")
    say.line(f"trained as of {trained.bundle.about.as_of}: bundle {bundle}" + (f", run {run}" if run else ""))


def fit_and_keep(
    where: Sources,
    as_of: str | None,
    chosen: Settings,
    bundle: pathlib.Path,
    *,
    register: bool,
    tracked: bool,
    on: Choice = engines.DEFAULT,
) -> tuple[Trained, str | None]:
    """Train, write the bundle, log the run; the run's id, or None when nothing is logged."""
    from tiercast.features import reading
    from tiercast.models import bundle_folder
    from tiercast.training import train as training

    bundle_folder.check(bundle)
    if tracked:
        from tiercast.training.tracking import store

        store.connect()
    with on.start() as engine, say.progress("train", len(training.STEPS) + 2) as step:
        step("reading")
        read = reading.read(engine, where, options.day(as_of), is_counted=False)
        if as_of is None:
            say.note(f"--as-of was not given: {read.as_of}, the day after the newest transaction, is taken.")
        trained = training.train(engine, read, chosen, step)
        step("writing")
        if not tracked:
            bundle_folder.save(trained.bundle, bundle)
            return trained, None
        from tiercast.training.tracking import log_run

        return trained, log_run.log(trained, bundle, register=register).run_id
