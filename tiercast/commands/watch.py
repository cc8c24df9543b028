"""`tiercast watch`: does the model still fit what comes in, and did its old scores come true?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tiercast.commands import grouping, options
from tiercast.contract.errors import BadInput
from tiercast.terminal import console
from tiercast.workflows import watch as watch_workflow

if TYPE_CHECKING:
    from tiercast.training.monitoring.checks import Part

ALARMED = 3


def add_to(app: typer.Typer) -> None:
    example = "tiercast watch orders.parquet --as-of 2024-07-31 --model champion --scores scores-april.parquet"
    app.command(epilog=f"Example: {example}")(grouping.expand(watch))


def watch(
    source: options.SourceOptions,
    *,
    as_of: options.AsOf = None,
    bundle: options.BundleOptions,
    scores: Annotated[
        list[str] | None,
        typer.Option("--scores", help="Old scores to hold against what happened: a file or a folder; repeatable."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only these checks: drift, data or outcomes; repeatable.")
    ] = None,
    config: options.Config = None,
    tracked: options.Tracked = True,
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Check a model at work: drift, fresh and full data, old scores against outcomes (exit code 3 on an alarm)."""
    settings, parts = options.load_settings(config), _parse_parts(only or [])
    loaded = bundle.load()
    sources = source.sources(settings, kept=loaded.about.reading)
    day = options.require_day(as_of, loaded)
    watched, run = watch_workflow.watch(loaded, sources, day, scores or [], parts, memory, tracked=tracked)
    if json:
        console.print_json(watched.as_dict() | {"run": run})
    else:
        from tiercast.terminal import watch as watch_tables

        watch_tables.print_watch(watched, run)
    if watched.level == "alarm":
        raise typer.Exit(ALARMED)


def _parse_parts(only: list[str]) -> tuple[Part, ...]:
    """The named groups of checks; all of them when none is named. Raises BadInput."""
    from tiercast.training.monitoring import checks

    unknown = [name for name in only if name not in checks.PARTS]
    if unknown:
        raise BadInput("--only is not known", first=unknown[0], hint=f"one of: {', '.join(checks.PARTS)}")
    return tuple(part for part in checks.PARTS if not only or part in only)
