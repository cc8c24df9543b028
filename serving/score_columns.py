"""The two forms of score columns: an Arrow table for files, lists of Python values for responses.

Each column is defined once, by what it holds; both forms are made from that definition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask, Vector
from tiercast.tiers import families, reasons
from tiercast.tiers.rules import Codes


class Numbers(NamedTuple):
    """One float per customer; NaN stands for null."""

    values: Vector


class Flags(NamedTuple):
    """Yes or no per customer, null where `is_null`."""

    values: Mask
    is_null: Mask


class Labels(NamedTuple):
    """One of `texts` per customer, by its position."""

    texts: Sequence[str]
    positions: NDArray[np.intp]


class Constant(NamedTuple):
    """The same value for every customer."""

    value: Any


class ReasonLists(NamedTuple):
    """Per customer up to three reason codes, as positions in `families.CODES`; negative where a place is empty."""

    codes: Codes


Values = Numbers | Flags | Labels | Constant | ReasonLists


def to_arrow(columns: Mapping[str, Values], n: int, schema: pa.Schema) -> dict[str, pa.Array]:
    """The columns as Arrow arrays of the schema's types, `n` rows each."""
    return {name: _to_array(values, n, schema.field(name).type) for name, values in columns.items()}


def to_lists(columns: Mapping[str, Values], n: int) -> dict[str, list[Any]]:
    """The columns as lists of the Python values that `to_pylist` of their Arrow arrays gives.

    >>> to_lists({"p_churn": Numbers(np.array([0.25, np.nan])), "tier": Labels("ABCDEF", np.array([1, 5]))}, 2)
    {'p_churn': [0.25, None], 'tier': ['B', 'F']}
    """
    numbers = _number_lists({name: values.values for name, values in columns.items() if isinstance(values, Numbers)})
    return {name: numbers[name] if name in numbers else _to_list(values, n) for name, values in columns.items()}


def _to_array(values: Values, n: int, kind: pa.DataType) -> pa.Array:
    match values:
        case Numbers(numbers):
            return pa.array(numbers, kind, from_pandas=True)
        case Flags(flags, is_null):
            return pa.array(flags, kind, mask=is_null)
        case Labels(texts, positions):
            return pa.array(texts, kind).take(pa.array(positions))
        case Constant(value):
            return pa.repeat(pa.scalar(value, kind), n)
        case ReasonLists(codes):
            return reasons.as_lists(codes)


def _to_list(values: Values, n: int) -> list[Any]:
    match values:
        case Numbers(numbers):
            return _number_lists({"": numbers})[""]
        case Flags(flags, is_null):
            return _flag_list(flags, is_null)
        case Labels(texts, positions):
            return [texts[position] for position in positions.tolist()]
        case Constant(value):
            return [value] * n
        case ReasonLists(codes):
            return [[families.CODES[code] for code in row if code >= 0] for row in codes.tolist()]


def _number_lists(columns: Mapping[str, Vector]) -> dict[str, list[Any]]:
    """All columns in one array: for one customer, a dozen calls of NumPy would take longer than the lists."""
    together = np.array(list(columns.values()))
    lists: list[list[Any]] = together.tolist()
    for row in np.flatnonzero(np.isnan(together).any(axis=1)).tolist():
        lists[row] = [None if value != value else value for value in lists[row]]
    return dict(zip(columns, lists, strict=True))


def _flag_list(flags: Mask, is_null: Mask) -> list[bool | None]:
    values: list[bool | None] = flags.tolist()
    for row in np.flatnonzero(is_null).tolist():
        values[row] = None
    return values
