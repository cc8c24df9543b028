"""The overrides: tiers set by hand, one row per decision, read into memory."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.features.engines import Engine
from tiercast.features.reading import checks, row_counts, source_table, validation
from tiercast.features.reading.sources import Sources


class OverrideRow(NamedTuple):
    customer_id: str
    tier: str
    until: dt.date


def read(engine: Engine, sources: Sources) -> list[OverrideRow]:
    """All rows, unordered. No row is dropped: `BadInput` where one lacks its customer, tier or day."""
    if sources.overrides is None:
        return []
    with engine.reading(sources.overrides):
        parsed, _ = source_table.open_table(engine, "overrides", sources, None)
        validated = validation.validate(parsed, validation.OVERRIDES, dt.date.max)
        counts = row_counts.count(engine.con, validated, validation.OVERRIDES)
        checks.cells(counts, validation.OVERRIDES)
        if counts.reasons:
            code, first = next(iter(counts.firsts.items()))
            hint = "every override needs customer_id, tier and until (a date)"
            count = sum(counts.reasons.values())
            raise errors.BadInput(f"{code} in the overrides", count=count, total=counts.rows, first=first, hint=hint)
        rows = engine.con.to_pyarrow(
            validation.valid_rows(validated).select("customer_id", "tier", "until")
        ).to_pylist()
    return [OverrideRow(row["customer_id"], row["tier"], row["until"].date()) for row in rows]
