"""The overrides: tiers set by hand, one row per decision. Few, so they are read into memory."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.features.engines import Engine
from tiercast.features.reading import checks, source_table, validation
from tiercast.features.reading import row_counts as tallies
from tiercast.features.reading.sources import Sources


class OverrideRow(NamedTuple):
    customer_id: str
    tier: str
    until: dt.date


def read(engine: Engine, place: Sources) -> list[OverrideRow]:
    """Every row, in no order. A decision is never dropped: `BadInput` when a row lacks its customer, tier or day."""
    if place.overrides is None:
        return []
    with engine.reading(place.overrides):
        parsed = source_table.open_table(engine, "overrides", place)
        judged = validation.judge(parsed, validation.OVERRIDES, dt.date.max)
        tally = tallies.count(engine.con, judged, validation.OVERRIDES)
        checks.cells(tally, validation.OVERRIDES)
        if tally.reasons:
            code, first = next(iter(tally.firsts.items()))
            hint = "every override needs customer_id, tier and until (a date)"
            count = sum(tally.reasons.values())
            raise errors.BadInput(f"{code} in the overrides", count=count, total=tally.rows, first=first, hint=hint)
        rows = engine.con.to_pyarrow(validation.kept(judged).select("customer_id", "tier", "until")).to_pylist()
    return [OverrideRow(row["customer_id"], row["tier"], row["until"].date()) for row in rows]
