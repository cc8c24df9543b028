"""A score file of any size and a bundle to serve beside it, neither of which means anything."""

from __future__ import annotations

import datetime as dt
import pathlib
import random

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from benchmarks import score_memory
from tiercast.contract import scores
from tiercast.contract.scores import ScoreColumn
from tiercast.models import bundle_folder
from tiercast.tiers import actions, reason_texts

AS_OF = dt.date(2024, 6, 1)
SLICE = 1 << 18
TRAINED_ON = 5_000
SHARES = {"A": 0.06, "B": 0.08, "C": 0.2, "D": 0.3, "E": 0.36}
REASONS = 2


def write(path: pathlib.Path, customers: int) -> pathlib.Path:
    """Random scores in the contract's columns, as large as real ones."""
    drawn = np.random.default_rng(1)
    schema = scores.schema("GBP", 90, 365, extra={"as_of": AS_OF.isoformat(), "model": "tiercast/1"})
    with parquet.ParquetWriter(path, schema, compression="zstd") as file:
        for start in range(0, customers, SLICE):
            n = min(SLICE, customers - start)
            columns = [_column(column, start, n, drawn) for column in scores.SCORES]
            file.write_table(pa.Table.from_arrays(columns, schema=schema))
    return path


def some_ids(drawn: random.Random, customers: int, n: int) -> list[str]:
    return [f"c-{drawn.randrange(customers):08d}" for _ in range(n)]


def bundle(folder: pathlib.Path) -> pathlib.Path:
    """The folder of a bundle trained on a few simulated customers."""
    sample, _ = score_memory.base(folder, TRAINED_ON)
    bundle_folder.save(score_memory.train_on(sample), folder / "bundle")
    return folder / "bundle"


def _column(column: ScoreColumn, start: int, n: int, drawn: np.random.Generator) -> pa.Array:
    if column.type == "double":
        return pa.array(drawn.random(n) * (100 if column.unit.startswith("money") else 1))
    if column.type == "bool":
        return pa.array(drawn.random(n) < 0.2)
    if column.type == "date32":
        return pa.array([AS_OF] * n, pa.date32())
    if column.type == "list<string>":
        codes = _text(drawn.choice(list(reason_texts.REASON_TEXTS), REASONS * n))
        return pa.ListArray.from_arrays(pa.array(np.arange(n + 1, dtype=np.int32) * REASONS), codes)
    return _text(_words(column.name, start, n, drawn))


def _words(name: str, start: int, n: int, drawn: np.random.Generator) -> NDArray[np.str_]:
    if name == "customer_id":
        return np.array([f"c-{number:08d}" for number in range(start, start + n)])
    if name in ("tier", "raw_tier"):
        return drawn.choice(list(SHARES), n, p=list(SHARES.values()))
    if name == "action":
        return drawn.choice(list(actions.ACTIONS), n)
    return np.full(n, "scored" if name == "status" else "tiercast/1")


def _text(words: NDArray[np.str_]) -> pa.Array:
    return pa.array(words.tolist(), pa.string())
