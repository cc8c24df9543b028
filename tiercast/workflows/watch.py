"""Check a model at work, and log the checks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tiercast.terminal import console

if TYPE_CHECKING:
    from tiercast.features.reading import Sources
    from tiercast.models.bundle import Bundle
    from tiercast.training.monitoring.checks import Part
    from tiercast.training.monitoring.watch import WatchReport


def watch(
    bundle: Bundle,
    sources: Sources,
    day: dt.date,
    scores: Sequence[str],
    parts: tuple[Part, ...],
    memory: str | None,
    *,
    tracked: bool,
) -> tuple[WatchReport, str | None]:
    """The checks and the id of their MLflow run, or None where `tracked` is false. `scores` are older score files."""
    from tiercast.features import reading
    from tiercast.features.engines.duckdb import DuckDBEngine
    from tiercast.features.reading import score_reader
    from tiercast.training.monitoring import outcomes
    from tiercast.training.monitoring import watch as watching

    if tracked:
        from tiercast.training.tracking import store

        store.connect()
    with DuckDBEngine(memory=memory) as engine, console.progress("watch", len(watching.STEPS) + 2) as on_step:
        on_step("reading")
        old = [
            score_reader.open_scores(engine, path, outcomes.NEEDED)
            for place in scores
            for path in score_reader.find(place)
        ]
        read = reading.read(engine, sources.trained_on(bundle.spec), day, is_counted=False)
        watched = watching.watch(engine, bundle, read, old, parts, on_step)
        on_step("writing")
        if not tracked:
            return watched, None
        from tiercast.training.tracking import watching as log

        return watched, log.log(watched)
