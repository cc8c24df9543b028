"""`tiercast score`: grade the whole base, from files to one file."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import TYPE_CHECKING, Annotated, cast

import typer

from tiercast.commands import grouping, options
from tiercast.contract.errors import BadInput
from tiercast.terminal import console, grid
from tiercast.workflows import engine_choice
from tiercast.workflows import score as score_workflow
from tiercast.workflows.engine_choice import EngineChoice
from tiercast.workflows.score import ScoreOptions

if TYPE_CHECKING:
    from tiercast.contract.scores import Reasons
    from tiercast.models.bundle import Bundle
    from tiercast.serving.batch.scoring import BatchResult
    from tiercast.tiers.languages import Language

REASONS = ("all", "risky", "none")
WITHHELD = "the model is no better than chance or than a plain rule, so actions are withheld"


def add_to(app: typer.Typer) -> None:
    example = "tiercast score orders.parquet --as-of 2024-07-31 --bundle out/bundle --out scores.parquet"
    app.command(epilog=f"Example: {example}")(grouping.expand(score))


def score(
    source: options.SourceOptions,
    *,
    as_of: options.AsOf = None,
    bundle: options.BundleOptions,
    out: Annotated[
        pathlib.Path | None,
        typer.Option("--out", help="scores.parquet, .csv or .csv.gz, whole or not at all; with Spark a folder."),
    ] = None,
    reasons: Annotated[
        str, typer.Option("--reasons", help="all, risky (above the churn cut: B, D and some of E) or none.")
    ] = "all",
    overrides: Annotated[
        str | None, typer.Option("--overrides", help="Optional table of tiers set by hand until a day.")
    ] = None,
    previous: Annotated[
        str | None,
        typer.Option("--previous", help="The last scores: customers near a cut keep their tier inside its band."),
    ] = None,
    since: Annotated[
        pathlib.Path | None,
        typer.Option(
            "--since",
            help="A folder of what is kept from run to run (made the first time): the next day computes only customers "
            "with new rows, or with orders that left a window, and writes the same bytes.",
        ),
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of what is printed: en or zh.")] = "en",
    config: options.Config = None,
    engine: options.EngineOptions,
    json: options.Json = False,
) -> None:
    """Score every customer known before --as-of, prospects included, with a trained bundle."""
    if reasons not in REASONS:
        raise BadInput("--reasons is not known", first=reasons, hint=f"one of: {', '.join(REASONS)}")
    from tiercast.models import bundle_folder

    language = options.parse_language(lang)
    settings = options.load_settings(config)
    choice = engine.choose()
    _refuse_incremental_spark(since, choice)
    with bundle.folder() as folder:
        loaded = bundle_folder.load(folder)
        sources = source.sources(settings, kept=loaded.about.reading, overrides=overrides)
        day = options.require_day(as_of, loaded)
        run = ScoreOptions(cast("Reasons", reasons), previous, since)
        target = out or score_workflow.DEFAULT_OUT[choice.name]
        scored = score_workflow.score(folder, loaded, sources, day, target, run, choice)
    for text in loaded.about.limits:
        console.print_note(text)
    if loaded.weak_targets:
        console.print_note(f"Grade D for {' and '.join(loaded.weak_targets)}: {WITHHELD}")
    if json:
        console.print_json(score_workflow.summarize(scored, loaded, day))
        return
    _print(scored, loaded, day, language)


def _print(scored: BatchResult, bundle: Bundle, day: dt.date, lang: Language) -> None:
    """Print the reading report, the grid, and the line for a ticket."""
    if scored.resumed:
        console.print_line(f"went on from a run that had finished {scored.resumed} parts")
    if scored.since:
        console.print_line(scored.since.line())
    for text in scored.reading.report.lines():
        console.print_line(text)
    grid.print_grid(scored.totals.rows(), bundle.about.currency, lang)
    grid.print_disagreement(scored.totals.disagreement(), lang)
    console.print_line(f"{scored.totals.n_customers:,} customers scored as of {day}: {scored.path}")


def _refuse_incremental_spark(since: pathlib.Path | None, choice: EngineChoice) -> None:
    """Raises BadInput: only DuckDB keeps a folder from run to run."""
    if since is not None and choice.name == engine_choice.SPARK:
        hint = "leave out --since, or --engine spark"
        raise BadInput("--since goes on from what DuckDB kept", first=f"--engine {choice.name}", hint=hint)
