"""The distinct split conditions of a model, evaluated for many customers at a time.

Splits of different trees often share a condition. Each distinct one is evaluated once, and all thresholds of a feature
in one comparison. The result is a bit per customer: 1 where LightGBM sends the customer to the right child.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Mask, Vector
from tiercast.models.trees.text_format import ZERO_THRESHOLD, Split

Bits = NDArray[np.uint8]


class Run(NamedTuple):
    """The thresholds of one feature, next to each other, that send NaN to the same side."""

    feature: int
    nan_goes_right: bool
    rows: slice


class Conditions(NamedTuple):
    """First the comparisons with `thresholds`, in `runs`; then the `others`, which need LightGBM's rules in full."""

    thresholds: Vector
    runs: tuple[Run, ...]
    others: tuple[Split, ...]

    @property
    def never(self) -> int:
        """The row of a last condition that sends all customers left."""
        return len(self.thresholds) + len(self.others)


_Comparison = tuple[int, bool, float]


def distinct(splits: Sequence[Split]) -> tuple[Conditions, NDArray[np.intp]]:
    """The distinct conditions of these splits, and for each split the row of its condition."""
    keys = [_key(split) for split in splits]
    comparisons = sorted({key for key in keys if not isinstance(key, Split)})
    others = tuple(dict.fromkeys(key for key in keys if isinstance(key, Split)))
    row = {key: k for k, key in enumerate([*comparisons, *others])}
    thresholds = np.array([threshold for _, _, threshold in comparisons], dtype=np.float64)
    return Conditions(thresholds, _runs(comparisons), others), np.array([row[key] for key in keys], dtype=np.intp)


def _key(split: Split) -> _Comparison | Split:
    """A comparison's feature, the side of NaN, and its threshold; the whole split where a comparison is not enough."""
    if split.categories is not None or split.missing_type == "zero":
        return split
    nan_goes_left = split.default_left if split.missing_type == "nan" else split.threshold >= 0
    return split.feature, not nan_goes_left, split.threshold


def _runs(comparisons: Sequence[_Comparison]) -> tuple[Run, ...]:
    """Where the comparisons of each feature and side of NaN are, in the sorted list of all."""
    rows_of: dict[tuple[int, bool], list[int]] = {}
    for row, (feature, nan_goes_right, _) in enumerate(comparisons):
        rows_of.setdefault((feature, nan_goes_right), []).append(row)
    return tuple(Run(*key, slice(rows[0], rows[-1] + 1)) for key, rows in rows_of.items())


def evaluate(conditions: Conditions, columns: Sequence[Vector], rows: slice) -> Bits:
    """One row per condition, one column per customer among `rows`: 1 goes right. `columns` are the features."""
    goes_right = np.zeros((conditions.never + 1, len(columns[0][rows])), np.bool_)
    for feature, nan_goes_right, run in conditions.runs:
        out, thresholds = goes_right[run], conditions.thresholds[run, None]
        if nan_goes_right:  # every comparison with NaN is false
            np.logical_not(np.less_equal(columns[feature][rows], thresholds, out=out), out=out)
        else:
            np.greater(columns[feature][rows], thresholds, out=out)
    for row, split in enumerate(conditions.others, len(conditions.thresholds)):
        goes_right[row] = evaluate_split(split, columns[split.feature][rows])
    return goes_right.view(np.uint8)


def evaluate_split(split: Split, column: Vector) -> Mask:
    """Whether each customer goes right, by LightGBM's rules one by one."""
    is_nan = np.isnan(column)
    if split.categories is not None:
        category = np.where(is_nan, -1.0, column).astype(np.int64)
        return np.logical_not(np.isin(category, list(split.categories)))
    number = column if split.missing_type == "nan" else np.where(is_nan, 0.0, column)
    is_zero = np.abs(number) <= ZERO_THRESHOLD
    is_missing = {"nan": is_nan, "zero": is_zero, "none": np.zeros_like(is_nan)}[split.missing_type]
    return np.where(is_missing, not split.default_left, np.logical_not(number <= split.threshold))
