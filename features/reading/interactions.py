"""The interactions: one row per contact with a customer, known before `as_of`."""

from __future__ import annotations

import datetime

import ibis

from tiercast.features.engines import Engine
from tiercast.features.reading import checks, cleaning, opening
from tiercast.features.reading import tally as tallies
from tiercast.features.reading.report import TableReport
from tiercast.features.reading.sources import Sources


def read(engine: Engine, place: Sources, as_of: datetime.date) -> tuple[ibis.Table, TableReport]:
    """The canonical table, its kinds one of `contract.inputs.INTERACTION_KINDS`, and its report."""
    parsed = opening.open_table(engine, "interactions", place)
    judged = cleaning.judge(parsed, cleaning.INTERACTIONS, as_of)
    tally = tallies.count(engine.con, judged, cleaning.INTERACTIONS)
    checks.cells(tally, cleaning.INTERACTIONS)
    kept = cleaning.kept(judged)
    return kept.select(*cleaning.known_columns(kept)), tallies.report(
        "interactions", tally, cleaning.INTERACTIONS.needed
    )
