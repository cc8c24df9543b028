"""The interactions: one row per contact with a customer, known before `as_of`."""

from __future__ import annotations

import datetime

import ibis

from tiercast.features.engines import Engine
from tiercast.features.reading import checks, source_table, validation
from tiercast.features.reading import row_counts as tallies
from tiercast.features.reading.report import TableReport
from tiercast.features.reading.sources import Sources


def read(engine: Engine, place: Sources, as_of: datetime.date) -> tuple[ibis.Table, TableReport]:
    """The canonical table, its kinds one of `contract.inputs.INTERACTION_KINDS`, and its report."""
    parsed = source_table.open_table(engine, "interactions", place)
    judged = validation.judge(parsed, validation.INTERACTIONS, as_of)
    tally = tallies.count(engine.con, judged, validation.INTERACTIONS)
    checks.cells(tally, validation.INTERACTIONS)
    kept = validation.kept(judged)
    return kept.select(*validation.known_columns(kept)), tallies.report(
        "interactions", tally, validation.INTERACTIONS.needed
    )
