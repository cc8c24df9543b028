"""`tiercast train`: learn from history, judge on the newest window, write a bundle, log the run."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

from tiercast.commands import grouping, options
from tiercast.contract.errors import BadInput
from tiercast.terminal import console, scorecard
from tiercast.workflows import train as train_workflow

if TYPE_CHECKING:
    from tiercast.training.train import Trained


def add_to(app: typer.Typer) -> None:
    example = "tiercast train orders.parquet --as-of 2024-06-30 --churn-days 90 --value-days 365 --bundle out/bundle"
    app.command(epilog=f"Example: {example}")(grouping.expand(train))


def train(
    source: options.SourceOptions,
    *,
    as_of: options.AsOf = None,
    settings: options.SettingsOptions,
    bundle: Annotated[pathlib.Path, typer.Option("--bundle", help="Folder to write the bundle to.")] = pathlib.Path(
        "out/bundle"
    ),
    register: Annotated[bool, typer.Option("--register", help="Register the bundle in MLflow as challenger.")] = False,
    tracked: options.Tracked = True,
    even_blocked: Annotated[
        bool, typer.Option("--even-blocked", help="Train although `check` calls churn or value blocked.")
    ] = False,
    engine: options.EngineOptions,
    json: options.Json = False,
) -> None:
    """Train churn and value models on everything before --as-of and judge them on the newest full window."""
    chosen = settings.load()
    sources = source.sources(chosen)
    if register and not tracked:
        raise BadInput("--register needs MLflow", first="--no-mlflow", hint="leave out --no-mlflow")
    day = options.parse_day(as_of)
    trained, run = train_workflow.train(
        sources,
        day,
        chosen,
        bundle,
        register=register,
        tracked=tracked,
        even_blocked=even_blocked,
        choice=engine.choose(),
    )
    if json:
        facts = {"bundle": str(bundle), "run": run, "as_of": trained.bundle.about.as_of}
        console.print_json({**facts, **trained.bundle.scorecard})
        return
    print_trained(trained, bundle, run)


def print_trained(trained: Trained, bundle: pathlib.Path, run: str | None) -> None:
    """The scorecard, the notes, and the line for a ticket."""
    scorecard.print_scorecard(trained.bundle.scorecard)
    for text in trained.notes:
        console.print_line(f"* {text}")
    suffix = f", run {run}" if run else ""
    console.print_line(f"trained as of {trained.bundle.about.as_of}: bundle {bundle}{suffix}")
