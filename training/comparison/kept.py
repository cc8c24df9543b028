"""What a training keeps of its holdout, so that a later one can be compared with it customer by customer.

One row per customer of the holdout: what was forecast and what happened. Who they are is not kept, neither ids nor
hashes of ids. Rows stand in the order of customer ids, and a digest of the whole list of ids stands beside them: where
two trainings have the same digest for the same window, their rows are the same customers, position by position.

Of more than `most` customers a sample is kept. The digest decides which positions, so that every training judged on
these customers keeps the same ones.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import pathlib
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from tiercast.contract.vectors import Vector
from tiercast.training.judge.holdout import Judged

Target = Literal["churn", "value"]
TARGETS: tuple[Target, ...] = ("churn", "value")
COLUMNS = ("actual", "p_churn", "value", "value_low", "value_high", "tier")
ABOUT = b"tiercast"


class HoldoutWindow(NamedTuple):
    """Which customers over which days: equal windows can be compared customer by customer."""

    as_of: dt.date
    days: int
    n_customers: int
    customers: str
    """Digest of the ids of all of them, in order."""


class Kept(NamedTuple):
    """One entry per kept customer. `actual` is 1 or 0 for churn, money for value."""

    target: Target
    window: HoldoutWindow
    actual: Vector
    p_churn: Vector
    value: Vector
    value_low: Vector
    value_high: Vector
    tier: NDArray[np.str_]

    @property
    def forecast(self) -> Vector:
        """The forecast to compare with `actual`: the churn risk, or the money."""
        return self.p_churn if self.target == "churn" else self.value


def draw(target: Target, judged: Judged, most: int) -> Kept:
    """The rows to keep of one target's holdout, at most `most`."""
    ids = judged.snapshot.customer_id
    window = HoldoutWindow(judged.as_of, judged.days, judged.n_customers, digest(ids))
    at = positions(window, most)
    p = judged.predictions
    low, high = p.certainty.value_low[at], p.certainty.value_high[at]
    return Kept(target, window, judged.actual[at], p.p_churn[at], p.value[at], low, high, p.tiers[at])


def digest(ids: pa.ChunkedArray) -> str:
    """32 hex digits for a list of ids in their order.

    The lengths are hashed too: without them, ("ab", "c") would be ("a", "bc").

    >>> digest(pa.chunked_array([["ab", "c"]])) == digest(pa.chunked_array([["a", "bc"]]))
    False
    """
    lengths = compute.binary_length(ids).to_numpy().astype("<i8")
    found = hashlib.sha256(lengths.tobytes())
    for chunk in ids.chunks:
        found.update("".join(chunk.to_pylist()).encode())
    return found.hexdigest()[:32]


def positions(window: HoldoutWindow, most: int) -> NDArray[np.intp]:
    """Which places in the order of ids are kept, ascending; all where there are no more than `most`."""
    if window.n_customers <= most:
        return np.arange(window.n_customers)
    rng = np.random.default_rng(int(window.customers, 16))
    return np.sort(rng.permutation(window.n_customers)[:most])


def write(kept: Kept, path: pathlib.Path) -> None:
    """As Parquet, with the window in its metadata."""
    table = pa.table({name: getattr(kept, name) for name in COLUMNS})
    about = {"target": kept.target, **kept.window._asdict(), "as_of": kept.window.as_of.isoformat()}
    parquet.write_table(table.replace_schema_metadata({ABOUT: json.dumps(about)}), path, compression="zstd")


def read(path: pathlib.Path) -> Kept:
    """What `write` wrote."""
    table = parquet.read_table(path)
    about = json.loads(table.schema.metadata[ABOUT])
    target = about.pop("target")
    window = HoldoutWindow(**about | {"as_of": dt.date.fromisoformat(about["as_of"])})
    columns = {name: table[name].to_numpy() for name in COLUMNS}
    return Kept(target, window, **columns | {"tier": columns["tier"].astype(np.str_)})


def why_not_paired(one: Kept | None, other: Kept | None) -> str:
    """Why the two cannot be compared customer by customer, in words for a reader; empty where they can."""
    if one is None or other is None:
        return "a run keeps no forecasts"
    if one.window[:2] != other.window[:2]:
        return "the windows differ"
    if one.window != other.window:
        return "the customers differ"
    if len(one.actual) != len(other.actual):
        return "the runs keep different numbers of customers"
    return "" if np.array_equal(one.actual, other.actual) else "the outcomes differ"
