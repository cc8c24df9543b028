"""The interactions: one row per contact with a customer, known before `as_of`."""

from __future__ import annotations

import datetime

import ibis

from tiercast.features.engines import Engine
from tiercast.features.reading import checks, row_counts, source_table, validation
from tiercast.features.reading.report import TableReport
from tiercast.features.reading.sources import Sources


def read(engine: Engine, sources: Sources, as_of: datetime.date) -> tuple[ibis.Table, TableReport]:
    """The canonical table, its kinds one of `contract.inputs.INTERACTION_KINDS`, and its report."""
    parsed, read_as = source_table.open_table(engine, "interactions", sources, as_of)
    validated = validation.validate(parsed, validation.INTERACTIONS, as_of)
    counts = row_counts.count(engine.con, validated, validation.INTERACTIONS)
    checks.cells(counts, validation.INTERACTIONS)
    kept = validation.valid_rows(validated)
    return kept.select(*validation.known_columns(kept)), row_counts.report(
        "interactions", counts, validation.INTERACTIONS.needed, read_as
    )
