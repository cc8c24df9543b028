"""Score a whole base from files to a file, part by part, so that memory does not grow with the base.

Customers are split by a hash of their id; each part is read, computed and appended to the output,
which appears under its name only when it is complete.
"""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Callable
from typing import NamedTuple

from features import parts, reading, schema
from features.engines import Engine
from features.reading import Reading, Sources, overrides
from models import bundle as bundles
from models.bundle import Bundle
from serving import output, previous, score, totals
from serving.totals import Totals
from tiers.overrides import Override

Tell = Callable[[int, int], None]


class Scored(NamedTuple):
    """What was written. `reading` counts what was read and dropped."""

    path: pathlib.Path
    reading: Reading
    totals: Totals
    overrides: int


def score_all(
    engine: Engine,
    bundle: Bundle,
    sources: Sources,
    as_of: dt.date,
    out: pathlib.Path,
    *,
    with_reasons: bool = True,
    last: str | None = None,
    tell: Tell = lambda done, of: None,
) -> Scored:
    """Write one row per customer known before `as_of` to `out` (Parquet). Raises `BadInput` and its kinds.

    The tiers of `last`, an earlier score file, hold customers near a cut. The same data, bundle, as_of and `last`
    give the same bytes.
    """
    output.refuse_input(out, sources)
    output.check(out)
    read = reading.read(engine, sources, as_of, is_counted=False)
    dated = bundles.dated(bundle, as_of)
    schema.require(bundle.spec, read.tables)
    with engine.reading(sources.transactions):
        n_parts = parts.split(engine, read.tables, read.report.rows_kept)
    if last is not None:
        previous.store(engine, last, as_of, n_parts)
    by_hand = [Override(*row) for row in overrides.read(engine, sources)]
    seen = totals.NOTHING
    with output.writer(out, score.schema(dated)) as write:
        for k in range(n_parts):
            tell(k, n_parts)
            with engine.reading(sources.transactions):
                features = parts.features(engine, read.tables, as_of, bundle.spec, k, n_parts)
            before = previous.of_part(engine, k, features["customer_id"]) if last is not None else None
            table = score.score(dated, features, with_reasons=with_reasons, by_hand=by_hand, previous=before)
            write(table)
            seen = totals.add(seen, table)
        tell(n_parts, n_parts)
    return Scored(out, read, seen, len(by_hand))
