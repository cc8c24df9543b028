"""Train on everything before a day, write the bundle, log the run."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import TYPE_CHECKING

from tiercast.terminal import console
from tiercast.workflows import engine_choice
from tiercast.workflows.engine_choice import EngineChoice

if TYPE_CHECKING:
    from tiercast.features.reading import Sources
    from tiercast.training.settings import Settings
    from tiercast.training.train import Trained


def train(
    sources: Sources,
    as_of: dt.date | None,
    settings: Settings,
    bundle: pathlib.Path,
    *,
    register: bool,
    tracked: bool,
    even_blocked: bool = False,
    choice: EngineChoice = engine_choice.DEFAULT,
) -> tuple[Trained, str | None]:
    """The training and the id of its MLflow run, or None where `tracked` is false.

    Raises NotEnoughData for data that `check` calls blocked, unless `even_blocked`.

    Without `as_of` the day after the newest transaction is taken, with a note on stderr.
    """
    from tiercast.features import data_profile, reading
    from tiercast.features.reading import reading_options
    from tiercast.models import bundle_folder
    from tiercast.training import train as training
    from tiercast.training.check import readiness

    bundle_folder.check(bundle)
    if tracked:
        from tiercast.training.tracking import store

        store.connect()
    with choice.start() as engine, console.progress("train", len(training.STEPS) + 4) as on_step:
        on_step("reading")
        read = reading.read(engine, sources, as_of, is_counted=False)
        if as_of is None:
            console.print_note(f"--as-of was not given: {read.as_of}, the day after the newest transaction, is taken.")
        for text in read.report.preset.lines() if read.report.preset else ():
            console.print_note(text)
        on_step("counting")
        findings = data_profile.profile(engine, read.tables).findings
        on_step("measuring")
        ready = readiness.check(engine, read.tables, read.report, read.as_of, *settings.horizons.both)
        if not even_blocked:
            ready.refuse_blocked()
        blocked = [capability.name for capability in ready.blocked()]
        trained = training.train(engine, read, settings, on_step, blocked=blocked)
        for finding in findings:
            console.print_note(str(finding))
        trained = _with_options(trained, reading_options.to_text(sources, read.preset))
        on_step("writing")
        if not tracked:
            bundle_folder.save(trained.bundle, bundle)
            return trained, None
        from tiercast.training.tracking import log_run

        return trained, log_run.log(trained, bundle, register=register).run_id


def _with_options(trained: Trained, kept: str) -> Trained:
    """The training, its bundle knowing the options that its data were read with."""
    bundle = trained.bundle
    return trained._replace(bundle=bundle._replace(about=bundle.about._replace(reading=kept)))
