"""The tiers of the previous scores: a customer near a cut keeps the tier that is given there."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from tiercast.contract import errors
from tiercast.features.engines import Engine
from tiercast.features.reading import score_reader
from tiercast.features.reading.score_reader import ScoreFile

NAME = "previous"


def store(engine: Engine, path: str, as_of: dt.date, n_parts: int) -> None:
    """Read a score file and store its tiers by part. Raises `BadInput` and its kinds."""
    previous = open_previous(engine, path, as_of)
    with engine.reading(path):
        engine.store(NAME, previous.table, n_parts)


def open_previous(engine: Engine, path: str, as_of: dt.date) -> ScoreFile:
    """The previous scores: `customer_id` and `tier`. Raises `BadInput` and its kinds."""
    previous = score_reader.open_scores(engine, path, ("tier",))
    if previous.as_of >= as_of:
        raise errors.BadInput(
            "the previous scores are not of an earlier day",
            first=f"{path}: scored as of {previous.as_of}, now to be scored as of {as_of}",
            hint="pass --previous the file of the last scoring before --as-of",
        )
    return previous


def align(engine: Engine, k: int, customer_id: pa.ChunkedArray) -> NDArray[np.str_]:
    """The previous tier of each customer of part `k`, "" for a customer without one."""
    stored = engine.con.to_pyarrow(engine.bucket(NAME, k))
    at = compute.index_in(customer_id, value_set=stored["customer_id"].combine_chunks())
    tiers = compute.fill_null(stored["tier"].combine_chunks().take(at.combine_chunks()), "")
    return np.asarray(tiers.to_numpy(zero_copy_only=False), dtype="<U1")
