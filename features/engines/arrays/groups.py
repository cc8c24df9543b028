"""Rows that belong together: groups, what is counted of them, neighbours in order, and matches between two tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask
from tiercast.features.engines.arrays import column as columns
from tiercast.features.engines.arrays.column import FEW, Column, Places, Rows

Codes = NDArray[np.int64]
MOST_CODES = 1 << 62


class Groups(NamedTuple):
    """The groups of `n` rows: `order` puts those of one next to each other, as they came; each begins in `starts`.

    `order` is None where they lie so already.
    """

    order: Rows | None
    starts: Rows
    n: int

    def ids(self) -> Rows:
        """The number of each row's group, in `order`."""
        return np.repeat(np.arange(len(self.starts)), np.diff(self.starts, append=self.n))

    def firsts(self) -> Places:
        """The first row of each."""
        return columns.places(self.starts if self.order is None else self.order[self.starts], self.n)

    def together(self, values: NDArray[Any]) -> NDArray[Any]:
        """The values, those of a group next to each other."""
        return values if self.order is None else values[self.order]


def together(keys: Sequence[Codes]) -> Codes:
    """Numbers that are equal where all of the keys are."""
    found, *others = keys
    for more in others:
        width = int(more.max(initial=0)) + 1
        if int(found.max(initial=0)) + 1 > MOST_CODES // width:
            found = np.unique(found, return_inverse=True)[1].astype(np.int64)
        found = found * width + more
    return found


def codes(key: Column) -> Codes:
    """Numbers from 0 on that are equal where the values are; a null has the largest."""
    values = key.values
    if values.dtype == object:
        coded = _of_texts(values)
    elif values.dtype == np.int64:
        coded = values - values.min(initial=np.iinfo(np.int64).max)
    else:
        coded = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return coded if key.known is None else np.where(key.known, coded, coded.max(initial=-1) + 1)


def _of_texts(texts: NDArray[np.object_]) -> Codes:
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


def matches(left: Column, right: Column) -> tuple[Rows, Rows]:
    """The rows of the left, in order and as often as they are matched, and the row of the right with the same key.

    That is -1 where there is none; a null matches nothing.
    """
    n, n_right = len(left.values), len(right.values)
    both = codes(columns.joined(left, right))
    order = np.argsort(both[n:], kind="stable")
    low, high = (np.searchsorted(both[n:][order], both[:n], side) for side in ("left", "right"))
    is_found = high > low if left.known is None else (high > low) & left.known
    times = np.where(is_found, high - low, 1)
    places = np.where(np.repeat(is_found, times), np.repeat(low, times) + _counting(times), n_right)
    return np.repeat(np.arange(n), times), np.append(order, -1)[places]


def _counting(sizes: Rows) -> Rows:
    """0, 1, ... within each."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes)


class Line(NamedTuple):
    """Rows in order within their groups: `order`, and whether a row there has the row before it as a neighbour."""

    order: Rows
    follows: Mask


def line(keys: Codes, by: Column) -> Line:
    """Ascending, nulls last."""
    by = columns.full(by, len(keys))
    order = np.lexsort((by.values, keys) if by.known is None else (by.values, ~by.known, keys))
    ordered = keys[order]
    return Line(order, np.concatenate([[False], ordered[1:] == ordered[:-1]])[: len(keys)])


def neighbour(of: Line, given: Column, step: int) -> Column:
    """The value of the row before (`step` -1) or after (1) in the line; null where there is none."""
    values, known = columns.full(given, len(of.order))
    here, there = (of.order[1:], of.order[:-1]) if step < 0 else (of.order[:-1], of.order[1:])
    is_near = of.follows[1:] if known is None else of.follows[1:] & known[there]
    out, found = np.zeros_like(values), np.zeros(len(values), bool)
    out[here], found[here] = values[there], is_near
    return Column(out, found)
