"""Times by the clock of the shop: what has a zone is moved there, what has none is taken to be of it."""

from __future__ import annotations

import ibis
from ibis.expr import types as ir

from tiercast.features.engines import Engine
from tiercast.features.reading import times
from tiercast.features.reading.validation import ZONE


def move(engine: Engine, parsed: ibis.Table, zone: str) -> ibis.Table:
    """Parsed rows with every time as the clocks of `zone` show it; "" leaves all times in UTC.

    `zone_...` then counts what was moved, and times with and without a zone may stand in one column. A day is then a
    day of that zone, and as_of is its midnight there. Where clocks are put back, an hour occurs twice.
    """
    if zone in ("", "UTC"):
        return parsed
    names = [name.removeprefix(ZONE) for name in parsed.columns if name.startswith(ZONE)]
    moved: dict[str, ir.Value] = {}
    for name in names:
        has_zone = parsed[ZONE + name].isin([times.UTC, times.MOVED]).fill_null(False)
        moved[name] = ibis.ifelse(has_zone, engine.wall_clock(parsed[name], zone), parsed[name])
        moved[ZONE + name] = ibis.ifelse(has_zone, times.MOVED, ibis.null("string"))
    return parsed.mutate(moved)
