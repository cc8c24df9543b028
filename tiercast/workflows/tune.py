"""Search for better trees, and log the search."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import TYPE_CHECKING

from tiercast.terminal import console

if TYPE_CHECKING:
    from tiercast.features.reading import Sources
    from tiercast.training.settings import Settings
    from tiercast.training.tuning.tune import Tuned


def tune(
    sources: Sources, as_of: dt.date | None, settings: Settings, study: pathlib.Path, *, tracked: bool
) -> tuple[Tuned, str | None]:
    """The search and the id of its MLflow run, or None where `tracked` is false. `study` keeps the trials."""
    from tiercast.features.engines.duckdb import DuckDBEngine
    from tiercast.training.tuning import tune as tuning

    if tracked:
        from tiercast.training.tracking import store

        store.connect()
    steps = len(tuning.MODELS) * (settings.tune.trials + 2) + 3
    with DuckDBEngine() as engine, console.progress("tune", steps) as on_step:
        on_step("reading")
        known = tuning.read(engine, sources, as_of, settings.horizons)
        tuned = tuning.tune(engine, known, settings, study, on_step)
        if as_of is None:
            console.print_note(f"--as-of was not given: {tuned.as_of}, the day after the newest transaction, is taken.")
        if not tracked:
            return tuned, None
        from tiercast.training.tracking import tuning as log_tuning

        on_step("logging")
        return tuned, log_tuning.log(tuned)
