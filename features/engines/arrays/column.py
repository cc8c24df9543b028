"""Columns of values, some of which may be null."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from ibis.expr import datatypes as dt
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask

Rows = NDArray[np.intp]
FEW = 64  # for fewer texts, plain Python is faster than Arrow


class UnsupportedOperation(TypeError):
    """An expression needs an operation that this engine lacks. The fault lies in our code, not in the data."""


class Column(NamedTuple):
    """`values`, one per row, or of no dimension for a constant; `known` is False where they are null.

    `known` is None where nothing is null. The value behind a null has no meaning. Texts are objects, dates are days
    and times microseconds since 1970, decimals are whole numbers of their last place: int64, or Python's int where a
    sum may not fit.
    """

    values: NDArray[Any]
    known: Mask | None = None


class InputTable(NamedTuple):
    """A table of `n` rows as a request has it: texts, floats and whole numbers."""

    n: int
    columns: Mapping[str, Column]


def null(kind: dt.DataType) -> Column:
    """A single null."""
    return Column(np.array("", object) if kind.is_string() else np.zeros((), storage(kind)), np.zeros((), bool))


def storage(kind: dt.DataType) -> type:
    """The NumPy type that holds the values of an Ibis type. Raises `UnsupportedOperation`."""
    if kind.is_string():
        return object
    if kind.is_boolean():
        return np.bool_
    if kind.is_floating():
        return np.float64
    if kind.is_integer() or kind.is_decimal() or kind.is_date() or kind.is_timestamp():
        return np.int64
    raise UnsupportedOperation(f"no array holds values of the type {kind}")


def full(column: Column, n: int) -> Column:
    """The column with a value for each of `n` rows."""
    values, known = column
    if values.ndim and (known is None or known.ndim):
        return column
    return Column(np.broadcast_to(values, n), None if known is None else np.broadcast_to(known, n))


class RowSelection(NamedTuple):
    """Which `n` rows to take: `rows`, or None for all in their order; where `is_found` is False, the result is null."""

    rows: Rows | None
    n: int
    is_found: Mask | None = None


def select_rows(rows: Rows, n_given: int) -> RowSelection:
    """The selection of these of the `n_given` rows; -1 selects nothing and gives null."""
    found = rows >= 0
    if not found.all():
        return RowSelection(rows, len(rows), found)
    is_all = len(rows) == n_given and np.array_equal(rows, np.arange(n_given))
    return RowSelection(None if is_all else rows, len(rows))


def take(column: Column, selection: RowSelection) -> Column:
    """The values of the selected rows; null where nothing was selected."""
    values, known = column
    if selection.rows is not None:
        values, known = _taken(values, selection.rows), None if known is None else _taken(known, selection.rows)
    if selection.is_found is not None:
        known = selection.is_found if known is None else known & selection.is_found
    return Column(values, known)


def _taken(values: NDArray[Any], rows: Rows) -> NDArray[Any]:
    if not values.ndim:
        return values
    return values[rows] if len(values) else np.zeros(len(rows), values.dtype)


def concatenate(first: Column, second: Column) -> Column:
    """The rows of the first column, then those of the second."""
    values = np.concatenate([first.values, second.values])
    if first.known is None and second.known is None:
        return Column(values)
    parts = [np.ones(len(c.values), bool) if c.known is None else c.known for c in (first, second)]
    return Column(values, np.concatenate(parts))


def all_known(columns: Iterable[Column]) -> Mask | None:
    """Where all columns are known; None where nothing is null."""
    known: Mask | None = None
    for column in columns:
        if column.known is not None:
            known = column.known if known is None else known & column.known
    return known


def known_or_true(*given: Column) -> Any:
    """Where all columns are known, as an array or as True, which NumPy broadcasts."""
    known = all_known(given)
    return True if known is None else known


def any_known(column: Column) -> bool:
    """Whether any value is known."""
    return column.values.size > 0 if column.known is None else bool(column.known.any())


def is_true(column: Column) -> Mask:
    """Where a condition holds; null counts as false."""
    return column.values if column.known is None else column.values & column.known


def from_texts(given: Sequence[str | None]) -> Column:
    values = np.array(given, object)
    if None not in given:
        return Column(values)
    known = np.array([text is not None for text in given], bool)
    return Column(np.where(known, values, ""), known)


def from_numbers(given: Sequence[float | None]) -> Column:
    values = np.array(given, np.float64)  # None becomes nan
    return Column(values, np.array([number is not None for number in given], bool) if None in given else None)


def to_floats(column: Column, n: int) -> NDArray[np.float64]:
    """Floats for the models: NaN where the column is null."""
    values, known = full(column, n)
    floats = values.astype(np.float64)
    if known is not None:
        floats[~known] = np.nan
    return floats


def to_list(column: Column, n: int) -> list[Any]:
    """Python values; None for null."""
    values, known = full(column, n)
    listed: list[Any] = values.tolist()
    return listed if known is None else [v if is_known else None for v, is_known in zip(listed, known.tolist())]
