"""What a compiled expression is made of: steps that a run takes at most once each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from ibis.expr import operations as ops
from numpy.typing import NDArray

from tiercast.features.engines.arrays.column import Column, Given

T = TypeVar("T")


class Run:
    """One set of inputs, and what was computed from it so far."""

    def __init__(self, tables: Mapping[str, Given]) -> None:
        self.tables = tables
        self.done: dict[object, Any] = {}

    def written(self, texts: NDArray[np.object_]) -> pa.StringArray:
        """The texts as Arrow has them, made once."""
        key = ("written", id(texts))
        if key not in self.done:
            self.done[key] = pa.array(texts, pa.string()), texts  # kept, so that no other texts get their id
        return self.done[key][0]


class Relation(NamedTuple):
    """A table to be: a step per column, and one for the number of rows."""

    columns: Mapping[str, Callable[[Run], Column]]
    size: Callable[[Run], int]


def once(step: Callable[[Run], T]) -> Callable[[Run], T]:
    """The step, whose result is kept for the rest of the run. No step returns None.

    A run takes some 300 steps, so a lookup that raises where there is no result yet is felt.
    """
    key = object()

    def kept(run: Run) -> T:
        result: T | None = run.done.get(key)
        if result is None:
            result = run.done[key] = step(run)
        return result

    return kept


Step = Callable[[Run], Column]


class Values(Protocol):
    """Who knows the step of each value."""

    def value(self, node: ops.Value, within: Any = None) -> Step:
        """`within` the groups of an aggregate where the value is computed from some."""
        ...


Build = Callable[[Values, Any, Any], Step]
