"""Score a whole base with a bundle, on DuckDB into one file or on Spark into a folder."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import TYPE_CHECKING, Any, NamedTuple

from tiercast.terminal import console
from tiercast.workflows import engine_choice
from tiercast.workflows.engine_choice import EngineChoice

if TYPE_CHECKING:
    from tiercast.contract.scores import Reasons
    from tiercast.features.reading import Sources
    from tiercast.models.bundle import Bundle
    from tiercast.serving.batch.scoring import BatchResult

DEFAULT_OUT = {engine_choice.DUCKDB: pathlib.Path("scores.parquet"), engine_choice.SPARK: pathlib.Path("scores")}


class ScoreOptions(NamedTuple):
    """The customers that get reasons, the last scores for hysteresis, and the folder of an incremental run."""

    reasons: Reasons = "all"
    previous: str | None = None
    since: pathlib.Path | None = None


DEFAULT = ScoreOptions()


def score(
    folder: pathlib.Path,
    bundle: Bundle,
    sources: Sources,
    day: dt.date,
    out: pathlib.Path,
    options: ScoreOptions = DEFAULT,
    choice: EngineChoice = engine_choice.DEFAULT,
) -> BatchResult:
    """Score every customer known before `day`. `folder` holds `bundle`; Spark sends its files to the workers."""
    if choice.name == engine_choice.SPARK:
        return _on_spark(folder, bundle, sources, day, out, options, choice)
    from tiercast.serving.batch import scoring

    with choice.start() as engine, console.progress("score", 1) as on_step:
        return scoring.score_all(
            engine,
            bundle,
            sources,
            day,
            out,
            reasons=options.reasons,
            previous=options.previous,
            since=options.since,
            on_progress=lambda k, n: on_step(f"part {min(k + 1, n)} of {n}"),
        )


def _on_spark(
    folder: pathlib.Path,
    bundle: Bundle,
    sources: Sources,
    day: dt.date,
    out: pathlib.Path,
    options: ScoreOptions,
    choice: EngineChoice,
) -> BatchResult:
    from tiercast.models import bundle_folder

    files = bundle_folder.packed(folder)
    with choice.start() as engine, console.progress("score", 1) as on_step:
        from tiercast.serving.spark import scoring

        return scoring.score_all(
            engine,
            bundle,
            files,
            sources,
            day,
            out,
            reasons=options.reasons,
            previous=options.previous,
            on_progress=lambda k, n: on_step(f"{k} of {n} parts"),
        )


def summarize(scored: BatchResult, bundle: Bundle, day: dt.date) -> dict[str, Any]:
    """The facts of a scoring run for --json."""
    return {
        "out": str(scored.path),
        "as_of": day,
        "model": bundle.about.model,
        "weak_targets": bundle.weak_targets,
        "limits": bundle.about.limits,
        "customers": scored.totals.n_customers,
        "borderline": scored.totals.n_borderline,
        "disagreement": scored.totals.disagreement(),
        "tiers": [row._asdict() for row in scored.totals.rows()],
        "overrides": scored.overrides,
        "resumed": scored.resumed,
        "since": scored.since._asdict() if scored.since else None,
        "reading": scored.reading.report.as_dict(),
    }
