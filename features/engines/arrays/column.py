"""A column of values, some of which may be null."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from ibis.expr import datatypes as dt
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask

Rows = NDArray[np.intp]
FEW = 64  # below so many texts, Python is done before Arrow has started


class UnknownOperation(TypeError):
    """An expression asks for something that this engine does not know. That is a fault of ours, not of the data."""


class Column(NamedTuple):
    """`values`, one per row or a single one for all (no dimension); `known` is False where they are null.

    `known` is None where nothing is null. A value that is not known is there all the same, and means nothing.
    Texts are objects, dates days and times microseconds since 1970, decimals whole numbers of their last place: int64,
    or Python's where a sum may not fit.
    """

    values: NDArray[Any]
    known: Mask | None = None


class Given(NamedTuple):
    """A table of `n` rows as it comes in: texts, floats and whole numbers."""

    n: int
    columns: Mapping[str, Column]


def null(kind: dt.DataType) -> Column:
    """A single null."""
    return Column(np.array("", object) if kind.is_string() else np.zeros((), storage(kind)), np.zeros((), bool))


def storage(kind: dt.DataType) -> type:
    """What holds the values of a type. Raises `UnknownOperation`."""
    if kind.is_string():
        return object
    if kind.is_boolean():
        return np.bool_
    if kind.is_floating():
        return np.float64
    if kind.is_integer() or kind.is_decimal() or kind.is_date() or kind.is_timestamp():
        return np.int64
    raise UnknownOperation(f"no array holds values of the type {kind}")


def full(column: Column, n: int) -> Column:
    """The column with a value for each of `n` rows."""
    values, known = column
    if values.ndim and (known is None or known.ndim):
        return column
    return Column(np.broadcast_to(values, n), None if known is None else np.broadcast_to(known, n))


class Places(NamedTuple):
    """Which `n` rows to take: `rows`, or None for all as they are; where `found` is False there is nothing to take."""

    rows: Rows | None
    n: int
    found: Mask | None = None


def places(rows: Rows, n_given: int) -> Places:
    """To take these of the `n_given` rows; -1 for nothing."""
    found = rows >= 0
    if not found.all():
        return Places(rows, len(rows), found)
    is_all = len(rows) == n_given and np.array_equal(rows, np.arange(n_given))
    return Places(None if is_all else rows, len(rows))


def take(column: Column, places: Places) -> Column:
    """The values of these places; null where nothing was found."""
    values, known = column
    if places.rows is not None:
        values, known = _taken(values, places.rows), None if known is None else _taken(known, places.rows)
    if places.found is not None:
        known = places.found if known is None else known & places.found
    return Column(values, known)


def _taken(values: NDArray[Any], rows: Rows) -> NDArray[Any]:
    if not values.ndim:
        return values
    return values[rows] if len(values) else np.zeros(len(rows), values.dtype)


def joined(first: Column, second: Column) -> Column:
    """The rows of one below those of the other."""
    values = np.concatenate([first.values, second.values])
    if first.known is None and second.known is None:
        return Column(values)
    parts = [np.ones(len(c.values), bool) if c.known is None else c.known for c in (first, second)]
    return Column(values, np.concatenate(parts))


def are_known(columns: Iterable[Column]) -> Mask | None:
    """Where all of them are."""
    known: Mask | None = None
    for column in columns:
        if column.known is not None:
            known = column.known if known is None else known & column.known
    return known


def known_or_true(*given: Column) -> Any:
    """Where all of them are, for NumPy to spread."""
    known = are_known(given)
    return True if known is None else known


def says(column: Column) -> bool:
    """Whether any of its values is known."""
    return column.values.size > 0 if column.known is None else bool(column.known.any())


def is_true(column: Column) -> Mask:
    """Where a condition holds; it does not where it is null."""
    return column.values if column.known is None else column.values & column.known


def of_texts(given: Sequence[str | None]) -> Column:
    values = np.array(given, object)
    if None not in given:
        return Column(values)
    known = np.array([text is not None for text in given], bool)
    return Column(np.where(known, values, ""), known)


def of_numbers(given: Sequence[float | None]) -> Column:
    values = np.array(given, np.float64)  # None becomes nan
    return Column(values, np.array([number is not None for number in given], bool) if None in given else None)


def to_floats(column: Column, n: int) -> NDArray[np.float64]:
    """Numbers as models want them: NaN where they are null."""
    values, known = full(column, n)
    floats = values.astype(np.float64)
    if known is not None:
        floats[~known] = np.nan
    return floats


def to_list(column: Column, n: int) -> list[Any]:
    """Python's values, None for null."""
    values, known = full(column, n)
    listed: list[Any] = values.tolist()
    return listed if known is None else [v if is_known else None for v, is_known in zip(listed, known.tolist())]
