"""`tiercast score`: grade the whole base, from files to one file."""

from __future__ import annotations

import pathlib
import tempfile
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contract.errors import BadInput
from tiercast import options, say

if TYPE_CHECKING:
    import datetime as dt

    from models.bundle import Bundle
    from serving.batch import Scored

REASONS = ("all", "risky", "none")


def add_to(app: typer.Typer) -> None:
    example = "tiercast score orders.parquet --as-of 2024-07-31 --bundle out/bundle --out scores.parquet"
    app.command(epilog=f"Example: {example}")(score)


def score(
    data: options.Data,
    as_of: options.AsOf = None,
    bundle: options.Bundle = None,
    model: options.Model = None,
    out: Annotated[
        pathlib.Path, typer.Option("--out", help="The Parquet file to write, in one piece or not at all.")
    ] = pathlib.Path("scores.parquet"),
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
    column: options.ColumnNames = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of what is printed: en or zh.")] = "en",
    memory: options.Memory = None,
    json: options.Json = False,
) -> None:
    """Score every customer known before --as-of, prospects included, with a trained bundle."""
    if reasons not in REASONS:
        raise BadInput("--reasons is not known", first=reasons, hint=f"one of: {', '.join(REASONS)}")
    spoken = options.language(lang)
    where = options.sources(data, customers, interactions, column, {})._replace(overrides=overrides)
    loaded = load(bundle, model)
    day = day_of(as_of, loaded)
    done = run(loaded, where, day, out, reasons=reasons, last=previous, memory=memory)
    if json:
        say.as_json(summary(done, loaded, day))
        return
    from tiercast import show

    if done.resumed:
        say.line(f"went on from a run that had finished {done.resumed} parts")
    for text in done.reading.report.lines():
        say.line(text)
    show.grid(done.totals.rows(), loaded.about.currency, spoken)
    show.disagreement(done.totals.disagreement(), spoken)
    say.line(f"{done.totals.n_customers:,} customers scored as of {day}: {out}")


def run(
    bundle: Bundle,
    where: Any,
    day: dt.date,
    out: pathlib.Path,
    *,
    reasons: Any = "all",
    last: str | None = None,
    memory: str | None = None,
) -> Scored:
    """Score with a bar on the terminal."""
    from features.engines.duckdb import Engine
    from serving import batch

    with Engine(memory=memory) as engine, say.progress("score", 1) as step:
        return batch.score_all(
            engine,
            bundle,
            where,
            day,
            out,
            reasons=reasons,
            last=last,
            tell=lambda k, n: step(f"part {min(k + 1, n)} of {n}"),
        )


def refuse_both(bundle: pathlib.Path | None, model: str | None) -> None:
    """One of them, and not the other. Raises BadInput."""
    if (bundle is None) == (model is None):
        first = "both --bundle and --model" if bundle else "neither --bundle nor --model"
        raise BadInput("which model is not clear", first=first, hint="pass --bundle DIR, or --model champion")


def load(bundle: pathlib.Path | None, model: str | None) -> Bundle:
    """The bundle from a folder or from the registry. Raises BadInput when both or neither are given."""
    from models import bundle_folder

    refuse_both(bundle, model)
    if bundle is not None:
        return bundle_folder.load(bundle)
    from serving import registry

    with tempfile.TemporaryDirectory(prefix="tiercast-") as folder:
        return bundle_folder.load(registry.fetch(str(model), pathlib.Path(folder)))


def summary(done: Scored, bundle: Bundle, day: dt.date) -> dict[str, Any]:
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
        "reading": done.reading.report.as_dict(),
    }


def day_of(as_of: str | None, bundle: Bundle) -> dt.date:
    day = options.day(as_of)
    if day is None:
        hint = f"pass --as-of YYYY-MM-DD; this bundle was trained as of {bundle.about.as_of}"
        raise BadInput("which day is not clear", first="no --as-of", hint=hint)
    return day
