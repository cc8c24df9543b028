"""Groups of rows, the order of rows in a window, and the matches of a join."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask
from tiercast.features.engines.arrays import column as columns
from tiercast.features.engines.arrays.column import FEW, Column, Rows, RowSelection

Codes = NDArray[np.int64]
MOST_CODES = 1 << 62


class Groups(NamedTuple):
    """The groups of `n` rows: `order` sorts rows by group and is stable; `starts` has the first position of each group.

    `order` is None where rows are sorted by group already.
    """

    order: Rows | None
    starts: Rows
    n: int

    def ids(self) -> Rows:
        """The number of each row's group, for rows in `order`."""
        return np.repeat(np.arange(len(self.starts)), np.diff(self.starts, append=self.n))

    def firsts(self) -> RowSelection:
        """The selection of the first row of each group."""
        return columns.select_rows(self.starts if self.order is None else self.order[self.starts], self.n)

    def sort(self, values: NDArray[Any]) -> NDArray[Any]:
        """The values sorted by group."""
        return values if self.order is None else values[self.order]


def combine_keys(keys: Sequence[Codes]) -> Codes:
    """Codes that are equal exactly where all keys are equal."""
    found, *others = keys
    for more in others:
        width = int(more.max(initial=0)) + 1
        if int(found.max(initial=0)) + 1 > MOST_CODES // width:
            found = np.unique(found, return_inverse=True)[1].astype(np.int64)
        found = found * width + more
    return found


def encode(key: Column) -> Codes:
    """Codes from 0 on that are equal exactly where the values are; null has the largest code."""
    values = key.values
    if values.dtype == object:
        coded = _encode_texts(values)
    elif values.dtype == np.int64:
        coded = values - values.min(initial=np.iinfo(np.int64).max)
    else:
        coded = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return coded if key.known is None else np.where(key.known, coded, coded.max(initial=-1) + 1)


def _encode_texts(texts: NDArray[np.object_]) -> Codes:
    if len(texts) >= FEW:
        coded: Codes = pa.array(texts, pa.string()).dictionary_encode().indices.to_numpy().astype(np.int64)
        return coded
    places: dict[object, int] = {}
    return np.array([places.setdefault(text, len(places)) for text in texts.tolist()], np.int64)


def groups(keys: Codes) -> Groups:
    if (keys[1:] >= keys[:-1]).all():
        return Groups(None, _starts(keys), len(keys))
    order = np.argsort(keys, kind="stable")
    return Groups(order, _starts(keys[order]), len(keys))


def _starts(ordered: Codes) -> Rows:
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)])


def match_rows(left: Column, right: Column) -> tuple[Rows, Rows]:
    """The row numbers of a left join: of the left rows in order, once per match, and of the right rows.

    The right number is -1 where nothing matches; a null key matches nothing.
    """
    n, n_right = len(left.values), len(right.values)
    both = encode(columns.concatenate(left, right))
    order = np.argsort(both[n:], kind="stable")
    low, high = (np.searchsorted(both[n:][order], both[:n], side) for side in ("left", "right"))
    is_found = high > low if left.known is None else (high > low) & left.known
    times = np.where(is_found, high - low, 1)
    places = np.where(np.repeat(is_found, times), np.repeat(low, times) + _ranges(times), n_right)
    return np.repeat(np.arange(n), times), np.append(order, -1)[places]


def _ranges(sizes: Rows) -> Rows:
    """0, 1, ... within each group of the given sizes."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes)


class WindowOrder(NamedTuple):
    """Rows sorted within their groups: `order`; `follows` is True where the row before is of the same group."""

    order: Rows
    follows: Mask


def sort_window(keys: Codes, by: Column) -> WindowOrder:
    """Sort rows by group and then by `by`: ascending, nulls last."""
    by = columns.full(by, len(keys))
    order = np.lexsort((by.values, keys) if by.known is None else (by.values, ~by.known, keys))
    ordered = keys[order]
    return WindowOrder(order, np.concatenate([[False], ordered[1:] == ordered[:-1]])[: len(keys)])


def shift(window: WindowOrder, given: Column, step: int) -> Column:
    """The value of the row before (`step` -1) or after (1) in the group; null where there is none."""
    values, known = columns.full(given, len(window.order))
    here, there = (window.order[1:], window.order[:-1]) if step < 0 else (window.order[:-1], window.order[1:])
    is_near = window.follows[1:] if known is None else window.follows[1:] & known[there]
    out, found = np.zeros_like(values), np.zeros(len(values), bool)
    out[here], found[here] = values[there], is_near
    return Column(out, found)
