"""The parts of a compiled expression: functions that an evaluation calls at most once each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from ibis.expr import operations as ops
from numpy.typing import NDArray

from tiercast.features.engines.arrays.column import Column, InputTable

T = TypeVar("T")


class Evaluation:
    """One set of input tables, and the results computed from it so far."""

    def __init__(self, tables: Mapping[str, InputTable]) -> None:
        self.tables = tables
        self.done: dict[object, Any] = {}

    def to_arrow(self, texts: NDArray[np.object_]) -> pa.StringArray:
        """The texts as an Arrow array, converted once."""
        key = ("arrow", id(texts))
        if key not in self.done:
            self.done[key] = pa.array(texts, pa.string()), texts  # a reference, so that no other array gets this id
        return self.done[key][0]


class Relation(NamedTuple):
    """A compiled table: a function per column, and one for the number of rows."""

    columns: Mapping[str, Callable[[Evaluation], Column]]
    size: Callable[[Evaluation], int]


def cached(step: Callable[[Evaluation], T]) -> Callable[[Evaluation], T]:
    """The function, with its result cached for the rest of the evaluation. It never returns None.

    One evaluation calls some 300 functions for the first time: looked up by `try` and `KeyError`, they took a twentieth
    of the time for one customer.
    """
    key = object()

    def kept(run: Evaluation) -> T:
        result: T | None = run.done.get(key)
        if result is None:
            result = run.done[key] = step(run)
        return result

    return kept


ColumnStep = Callable[[Evaluation], Column]


class ValueCompiler(Protocol):
    """Compiles values: the interface of `relations.Compiler` for the modules of operations."""

    def value(self, node: ops.Value, within: Any = None) -> ColumnStep:
        """The function that computes a value; `within` has the groups of an aggregate."""
        ...


Builder = Callable[[ValueCompiler, Any, Any], ColumnStep]
