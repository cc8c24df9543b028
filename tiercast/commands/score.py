"""`tiercast score`: grade the whole base, from files to one file."""

from __future__ import annotations

import contextlib
import functools
import pathlib
import tempfile
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tiercast import engines, options, say
from tiercast.contract.errors import BadInput

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from tiercast.engines import Choice
    from tiercast.models.bundle import Bundle
    from tiercast.serving.batch.scoring import BatchResult

REASONS = ("all", "risky", "none")
OUT = {engines.DUCKDB: pathlib.Path("scores.parquet"), engines.SPARK: pathlib.Path("scores")}


def add_to(app: typer.Typer) -> None:
    example = "tiercast score orders.parquet --as-of 2024-07-31 --bundle out/bundle --out scores.parquet"
    app.command(epilog=f"Example: {example}")(score)


def score(
    data: options.Data,
    as_of: options.AsOf = None,
    bundle: options.Bundle = None,
    model: options.Model = None,
    out: Annotated[
        pathlib.Path | None,
        typer.Option("--out", help="scores.parquet, in one piece or not at all; with Spark a folder, scores."),
    ] = None,
    reasons: Annotated[
        str, typer.Option("--reasons", help="all, risky (above the churn cut: B, D and some of E) or none.")
    ] = "all",
    customers: options.Customers = None,
    interactions: options.Interactions = None,
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
    column: options.ColumnNames = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of what is printed: en or zh.")] = "en",
    engine: options.Engine = "duckdb",
    master: options.Master = None,
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Score every customer known before --as-of, prospects included, with a trained bundle."""
    if reasons not in REASONS:
        raise BadInput("--reasons is not known", first=reasons, hint=f"one of: {', '.join(REASONS)}")
    from tiercast.models import bundle_folder

    spoken = options.language(lang)
    where = options.sources(data, customers, interactions, column, {})._replace(overrides=overrides)
    on = engines.choose(engine, master, memory)
    refuse_since(since, on)
    with folder_of(bundle, model) as folder:
        loaded = bundle_folder.load(folder)
        day = day_of(as_of, loaded)
        grade = (
            functools.partial(run_on_spark, folder) if on.name == engines.SPARK else functools.partial(run, since=since)
        )
        target = out or OUT[on.name]
        done = grade(loaded, where, day, target, reasons=reasons, last=previous, on=on)
    if json:
        say.as_json(summary(done, loaded, day))
        return
    from tiercast import show

    if done.resumed:
        say.line(f"went on from a run that had finished {done.resumed} parts")
    if done.since:
        say.line(done.since.line())
    for text in done.reading.report.lines():
        say.line(text)
    show.grid(done.totals.rows(), loaded.about.currency, spoken)
    show.disagreement(done.totals.disagreement(), spoken)
    say.line(f"{done.totals.n_customers:,} customers scored as of {day}: {done.path}")


def run(
    bundle: Bundle,
    where: Any,
    day: dt.date,
    out: pathlib.Path,
    *,
    reasons: Any = "all",
    last: str | None = None,
    since: pathlib.Path | None = None,
    on: Choice = engines.DEFAULT,
) -> BatchResult:
    """Score with a bar on the terminal; `since` is the folder of what is kept from run to run."""
    from tiercast.serving.batch import scoring

    with on.start() as engine, say.progress("score", 1) as step:
        return scoring.score_all(
            engine,
            bundle,
            where,
            day,
            out,
            reasons=reasons,
            previous=last,
            since=since,
            on_progress=lambda k, n: step(f"part {min(k + 1, n)} of {n}"),
        )


def refuse_since(since: pathlib.Path | None, on: Choice) -> None:
    """What is kept from run to run is kept by DuckDB. Raises BadInput."""
    if since is not None and on.name == engines.SPARK:
        hint = "leave out --since, or --engine spark"
        raise BadInput("--since goes on from what DuckDB kept", first=f"--engine {on.name}", hint=hint)


def refuse_both(bundle: pathlib.Path | None, model: str | None) -> None:
    """One of them, and not the other. Raises BadInput."""
    if (bundle is None) == (model is None):
        first = "both --bundle and --model" if bundle else "neither --bundle nor --model"
        raise BadInput("which model is not clear", first=first, hint="pass --bundle DIR, or --model champion")


def run_on_spark(
    folder: pathlib.Path,
    bundle: Bundle,
    where: Any,
    day: dt.date,
    out: pathlib.Path,
    *,
    reasons: Any,
    last: str | None,
    on: Choice,
) -> BatchResult:
    """The same on Spark, to a folder. `folder` is the bundle's, whose files the workers get."""
    from tiercast.models import bundle_folder

    files = bundle_folder.packed(folder)
    with on.start() as engine, say.progress("score", 1) as step:
        from tiercast.serving.spark import scoring

        return scoring.score_all(
            engine,
            bundle,
            files,
            where,
            day,
            out,
            reasons=reasons,
            previous=last,
            on_progress=lambda k, n: step(f"{k} of {n} parts"),
        )


def load(bundle: pathlib.Path | None, model: str | None) -> Bundle:
    """The bundle from a folder or from the registry. Raises BadInput when both or neither are given."""
    from tiercast.models import bundle_folder

    with folder_of(bundle, model) as folder:
        return bundle_folder.load(folder)


@contextlib.contextmanager
def folder_of(bundle: pathlib.Path | None, model: str | None) -> Iterator[pathlib.Path]:
    """The bundle's folder; one from the registry is gone after the `with` block. Raises BadInput like `load`."""
    refuse_both(bundle, model)
    if bundle is not None:
        yield bundle
        return
    from tiercast.serving import registry

    with tempfile.TemporaryDirectory(prefix="tiercast-") as folder:
        yield registry.fetch(str(model), pathlib.Path(folder))


def summary(done: BatchResult, bundle: Bundle, day: dt.date) -> dict[str, Any]:
    """What a job wants to know of the run."""
    return {
        "out": str(done.path),
        "as_of": day,
        "model": bundle.about.model,
        "customers": done.totals.n_customers,
        "borderline": done.totals.n_borderline,
        "disagreement": done.totals.disagreement(),
        "tiers": [row._asdict() for row in done.totals.rows()],
        "overrides": done.overrides,
        "resumed": done.resumed,
        "since": done.since._asdict() if done.since else None,
        "reading": done.reading.report.as_dict(),
    }


def day_of(as_of: str | None, bundle: Bundle) -> dt.date:
    day = options.day(as_of)
    if day is None:
        hint = f"pass --as-of YYYY-MM-DD; this bundle was trained as of {bundle.about.as_of}"
        raise BadInput("which day is not clear", first="no --as-of", hint=hint)
    return day
