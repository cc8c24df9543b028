"""Read the data, count the dropped rows, and measure the readiness of the rest."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from tiercast.terminal import console
from tiercast.workflows import engine_choice
from tiercast.workflows.engine_choice import EngineChoice

if TYPE_CHECKING:
    from tiercast.features.data_profile import Profile
    from tiercast.features.reading import ReadingReport, Sources
    from tiercast.training.check.readiness import Readiness


class Checked(NamedTuple):
    """What was read and dropped, what it means, and the verdict per capability."""

    report: ReadingReport
    profile: Profile
    readiness: Readiness


def check(
    sources: Sources,
    as_of: dt.date | None,
    churn_days: int | None,
    value_days: int,
    choice: EngineChoice = engine_choice.DEFAULT,
) -> Checked:
    """Everything that `check` says, at the cost of a few passes. Without `churn_days` a horizon is proposed."""
    from tiercast.features import data_profile, reading
    from tiercast.training.check import readiness

    with choice.start() as engine, console.progress("check", 3) as on_step:
        on_step("reading")
        read = reading.read(engine, sources, as_of)
        on_step("counting")
        found = data_profile.profile(engine, read.tables)
        on_step("measuring")
        ready = readiness.check(engine, read.tables, read.report, read.as_of, churn_days, value_days)
        return Checked(read.report, found, ready)
