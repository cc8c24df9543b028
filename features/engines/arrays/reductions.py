"""Sums, counts and extremes of groups. Nulls are ignored; a group of nulls gives null."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from ibis.expr import operations as ops
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask
from tiercast.features.engines.arrays import column as columns
from tiercast.features.engines.arrays import groups as grouping
from tiercast.features.engines.arrays.column import Column, UnsupportedOperation
from tiercast.features.engines.arrays.groups import Groups

Reduction = Callable[[Groups, Column, Mask | None], Column]


def total(groups: Groups, given: Column, used: Mask | None) -> Column:
    """The exact sum of whole numbers and decimals. Floats are refused: their sum depends on the order of rows."""
    values = given.values
    if values.dtype == np.bool_:
        values = values.astype(np.int64)
    if values.dtype == np.float64:
        raise UnsupportedOperation("sums of floats depend on the order of rows: add decimals")
    if values.dtype == np.int64 and _largest(values) * len(values) >= 1 << 63:
        values = values.astype(object)
    return _reduced(groups, values, used, np.add, 0)


def largest(groups: Groups, given: Column, used: Mask | None) -> Column:
    return _reduced(groups, given.values, used, np.maximum, _end(given.values.dtype, -1))


def smallest(groups: Groups, given: Column, used: Mask | None) -> Column:
    return _reduced(groups, given.values, used, np.minimum, _end(given.values.dtype, 1))


def is_any(groups: Groups, given: Column, used: Mask | None) -> Column:
    return _reduced(groups, given.values, used, np.logical_or, False)


def count(groups: Groups, given: Column, used: Mask | None) -> Column:
    return Column(_reduced(groups, np.ones(groups.n, np.int64), used, np.add, 0).values)


def count_distinct(groups: Groups, given: Column, used: Mask | None) -> Column:
    ids, found = groups.ids(), groups.sort(grouping.encode(given))
    if used is not None:
        counts = groups.sort(used)
        ids, found = ids[counts], found[counts]
    firsts = grouping.groups(grouping.combine_keys([ids, found])).firsts()
    return Column(np.bincount(columns.take(Column(ids), firsts).values, minlength=len(groups.starts)))


REDUCTIONS: Mapping[type, Reduction] = {
    ops.Sum: total,
    ops.Max: largest,
    ops.Min: smallest,
    ops.Any: is_any,
    ops.Count: count,
    ops.CountStar: count,
    ops.CountDistinct: count_distinct,
}


def _reduced(groups: Groups, values: NDArray[Any], used: Mask | None, add: np.ufunc, nothing: Any) -> Column:
    if not len(groups.starts):
        return Column(values[:0], None if used is None else used[:0])
    if used is None:
        return Column(add.reduceat(groups.sort(values), groups.starts))
    reduced = add.reduceat(groups.sort(np.where(used, values, nothing)), groups.starts)
    return Column(reduced, np.logical_or.reduceat(groups.sort(used), groups.starts))


def _largest(values: NDArray[np.int64]) -> int:
    if not len(values):
        return 0
    return max(int(np.maximum.reduce(values)), -int(np.minimum.reduce(values)))


def _end(kind: np.dtype[Any], sign: int) -> Any:
    if kind == np.float64:
        return sign * np.inf
    if kind == np.int64:
        return np.iinfo(np.int64).max if sign > 0 else np.iinfo(np.int64).min
    raise UnsupportedOperation(f"no largest of {kind}")
