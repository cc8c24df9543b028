"""Scoring that goes on from the last run, beside scoring everything."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from tiercast.features.engines.duckdb import Engine
from tiercast.features.reading import Sources
from tiercast.models.bundle import Bundle
from tiercast.serving.batch import scoring
from tiercast.serving.batch.incremental import IncrementalReport

FIRST = dt.date(1998, 4, 1)
DAYS = tuple(FIRST + dt.timedelta(days) for days in (0, 1, 2, 9, 90))


def as_of(bundle: Bundle, day: dt.date) -> Bundle:
    return bundle._replace(about=bundle.about._replace(as_of=day))


def score(
    bundle: Bundle, sources: Sources | str, day: dt.date, out: Path, state: Path | None, **how: Any
) -> IncrementalReport:
    where = sources if isinstance(sources, Sources) else Sources(sources)
    with Engine(threads=2) as engine:
        said = scoring.score_all(engine, bundle, where, day, out, since=state, **how).since
    return said or IncrementalReport(None, 0, 0, 0, "not asked for")


def assert_same_as_all(bundle: Bundle, sources: Sources | str, day: dt.date, folder: Path) -> IncrementalReport:
    """Score with the folder's state and without: equal bytes. What was kept comes back."""
    said = score(bundle, sources, day, folder / "since.parquet", folder / "state")
    score(bundle, sources, day, folder / "full.parquet", None)
    assert (folder / "since.parquet").read_bytes() == (folder / "full.parquet").read_bytes()
    return said
