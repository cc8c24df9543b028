"""`tiercast watch`: does the model still fit what comes in, and did its old scores come true?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tiercast import options, say
from tiercast.commands import score as scoring
from tiercast.contract.errors import BadInput

if TYPE_CHECKING:
    import datetime as dt

    from tiercast.features.reading import Sources
    from tiercast.models.bundle import Bundle
    from tiercast.training.monitoring.checks import Part
    from tiercast.training.monitoring.watch import Watched

ALARMED = 3


def add_to(app: typer.Typer) -> None:
    example = "tiercast watch orders.parquet --as-of 2024-07-31 --model champion --scores scores-april.parquet"
    app.command(epilog=f"Example: {example}")(watch)


def watch(
    data: options.Data,
    as_of: options.AsOf = None,
    bundle: options.Bundle = None,
    model: options.Model = None,
    scores: Annotated[
        list[str] | None,
        typer.Option("--scores", help="Old scores to hold against what happened: a file or a folder; repeatable."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only these checks: drift, data or outcomes; repeatable.")
    ] = None,
    tracked: options.Tracked = True,
    customers: options.Customers = None,
    interactions: options.Interactions = None,
    column: options.ColumnNames = None,
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Check a model at work: drift, fresh and full data, old scores against outcomes (exit code 3 on an alarm)."""
    where = options.sources(data, customers, interactions, column, {})
    chosen = _parts(only)
    loaded = scoring.load(bundle, model)
    found, run = run_checks(loaded, where, scoring.day_of(as_of, loaded), scores or [], chosen, memory, tracked=tracked)
    if json:
        say.as_json(found.as_dict() | {"run": run})
    else:
        from tiercast import show_watch

        show_watch.tell(found, run)
    if found.level == "alarm":
        raise typer.Exit(ALARMED)


def run_checks(
    bundle: Bundle,
    where: Sources,
    day: dt.date,
    scores: list[str],
    chosen: tuple[Part, ...],
    memory: str | None,
    *,
    tracked: bool,
) -> tuple[Watched, str | None]:
    """Read, check and log; the run's id, or None when nothing is logged."""
    from tiercast.features import reading
    from tiercast.features.engines.duckdb import Engine
    from tiercast.features.reading import scored
    from tiercast.training.monitoring import outcomes
    from tiercast.training.monitoring import watch as watching

    if tracked:
        from tiercast.training.tracking import store

        store.connect()
    with Engine(memory=memory) as engine, say.progress("watch", len(watching.STEPS) + 2) as step:
        step("reading")
        old = [scored.open_scores(engine, path, outcomes.NEEDED) for place in scores for path in scored.find(place)]
        read = reading.read(engine, where, day, is_counted=False)
        found = watching.watch(engine, bundle, read, old, chosen, step)
        step("writing")
        if not tracked:
            return found, None
        from tiercast.training.tracking import watching as log

        return found, log.log(found)


def _parts(only: list[str] | None) -> tuple[Part, ...]:
    from tiercast.training.monitoring import checks

    unknown = [name for name in only or [] if name not in checks.PARTS]
    if unknown:
        raise BadInput("--only is not known", first=unknown[0], hint=f"one of: {', '.join(checks.PARTS)}")
    return tuple(part for part in checks.PARTS if not only or part in only)
