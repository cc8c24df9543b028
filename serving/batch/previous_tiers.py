"""Last time's tiers, for customers near a cut to be held where they were."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from tiercast.contract import errors
from tiercast.features.engines import Engine
from tiercast.features.reading import scored
from tiercast.features.reading.scored import ScoreFile

NAME = "previous"


def store(engine: Engine, path: str, as_of: dt.date, n_parts: int) -> None:
    """Read a score file and keep its tiers by customer part. Raises `BadInput` and its kinds."""
    found = open_last(engine, path, as_of)
    with engine.reading(path):
        engine.store(NAME, found.table, n_parts)


def open_last(engine: Engine, path: str, as_of: dt.date) -> ScoreFile:
    """The last scores: `customer_id` and `tier`. Raises `BadInput` and its kinds."""
    found = scored.open_scores(engine, path, ("tier",))
    if found.as_of >= as_of:
        raise errors.BadInput(
            "the previous scores are not of an earlier day",
            first=f"{path}: scored as of {found.as_of}, asked for {as_of}",
            hint="pass --previous the file of the last scoring before --as-of",
        )
    return found


def of_part(engine: Engine, k: int, customer_id: pa.ChunkedArray) -> NDArray[np.str_]:
    """The last letter of each customer of part `k`, "" for who had none."""
    before = engine.con.to_pyarrow(engine.bucket(NAME, k))
    at = compute.index_in(customer_id, value_set=before["customer_id"].combine_chunks())
    letters = compute.fill_null(before["tier"].combine_chunks().take(at.combine_chunks()), "")
    return np.asarray(letters.to_numpy(zero_copy_only=False), dtype="<U1")
