"""The distribution of a number over the customers of the training day, for comparison with later days.

A value that many customers share (no refund, one order) has a bin of its own. Each other bin holds about a twentieth of
the customers. Bin i holds edges[i-1] < value <= edges[i].
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector

QUANTILES = np.linspace(0.0, 1.0, 21)
LEAST_SHARE, LEAST_COUNT = 0.01, 5.0


class Reference(NamedTuple):
    """`quantiles` are 21, from the smallest to the largest; `counts` one per bin, one more than `edges`.

    Older bundles have no `counts`; later days cannot be compared with them.
    """

    quantiles: tuple[float, ...]
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    missing: int = 0
    mean: float | None = None

    @property
    def n(self) -> int:
        """All customers, with the number or without."""
        return sum(self.counts) + self.missing


class Counted(NamedTuple):
    """Customers per bin of a reference, customers without the number, and the sum over the others."""

    counts: NDArray[np.int64]
    missing: int
    total: float = 0.0

    @property
    def mean(self) -> float | None:
        """The mean over customers with the number; None if there are none."""
        known = int(self.counts.sum())
        return self.total / known if known else None


def from_column(column: Vector, width: float = 0.0) -> Reference:
    """The reference of a column. NaN is missing; a column of NaN only has no quantiles.

    No bin is narrower than `width`, the smallest change of practical importance.

    >>> reference = from_column(np.array([0.0] * 60 + [1.0] * 30 + [7.0] * 10 + [np.nan] * 4))
    >>> reference.edges, reference.counts, reference.missing
    ((0.0, 1.0), (60, 30, 10), 4)
    """
    known = column[np.isfinite(column)]
    if not len(known):
        return Reference((), (), (0,), len(column))
    quantiles = np.quantile(known, QUANTILES)
    edges = _merged(_spaced(_candidates(quantiles), quantiles[0], quantiles[-1], width), known)
    counts = np.bincount(np.searchsorted(edges, known), minlength=len(edges) + 1)
    missing = len(column) - len(known)
    mean = float(known.mean())
    return Reference(tuple(quantiles.tolist()), tuple(edges.tolist()), tuple(counts.tolist()), missing, mean)


def count(reference: Reference, column: Vector) -> Counted:
    """The column of another day, counted in the bins of the reference."""
    known = column[np.isfinite(column)]
    bins = np.searchsorted(np.array(reference.edges), known)
    counts = np.bincount(bins, minlength=len(reference.counts))
    return Counted(counts, len(column) - len(known), float(known.sum()))


def from_json(data: Any) -> Reference:
    """The inverse of `Reference._asdict`, from parsed JSON; older bundles kept the quantiles alone, as a list."""
    if isinstance(data, list):
        return Reference(tuple(data))
    fields: dict[str, Any] = {name: tuple(cell) if isinstance(cell, list) else cell for name, cell in data.items()}
    return Reference(**fields)


def _candidates(quantiles: Vector) -> Vector:
    """The inner quantiles. One that occurs twice is a mass point and gets an edge just below it too."""
    values, times = np.unique(quantiles, return_counts=True)
    below = np.nextafter(values[times > 1], -np.inf)
    return np.unique(np.concatenate([quantiles[1:-1], below]))


def _spaced(edges: Vector, low: float, high: float, width: float) -> Vector:
    """The edges at least `width` above the previous one, and at least `width` from both ends of the range."""
    if not width:
        return edges
    kept = [low]
    for edge in edges.tolist():
        if kept[-1] + width <= edge <= high - width:
            kept.append(edge)
    return np.array(kept[1:])


def _merged(edges: Vector, known: Vector) -> Vector:
    """The edges whose bins are large enough: at least 1 % of customers, and five."""
    least = max(LEAST_SHARE * len(known), LEAST_COUNT)
    counts = np.bincount(np.searchsorted(edges, known), minlength=len(edges) + 1)
    kept: list[float] = []
    pending = 0
    for edge, n in zip(edges.tolist(), counts[:-1].tolist(), strict=True):
        pending += n
        if pending >= least:
            kept.append(edge)
            pending = 0
    if kept and pending + counts[-1] < least:
        kept.pop()
    return np.array(kept)
