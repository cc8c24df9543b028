"""The questions that trees ask, each asked once: all splits of a forest, answered for many customers at a time.

An answer is one bit. Splits of different trees that ask the same share it. Whether the bit means left or right is
chosen per question so that NaN, for which every comparison is false, goes where LightGBM would send it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.models.forest import ZERO, Split

Bits = NDArray[np.uint8]


class Questions(NamedTuple):
    """Numeric questions have a threshold each; `numeric` says of which feature, whether "at most?" (else "more than?"),
    and which thresholds. Then come the `others`, and one that everybody answers with no.
    """

    thresholds: Vector
    numeric: tuple[tuple[int, bool, slice], ...]
    others: tuple[Split, ...]

    @property
    def nobody(self) -> int:
        """The number of the question that everybody answers with no."""
        return len(self.thresholds) + len(self.others)


class Asked(NamedTuple):
    """Per split, in the order given: the number of its question, and whether yes sends a customer left."""

    questions: Questions
    numbers: tuple[int, ...]
    yes_is_left: tuple[bool, ...]


def collect(splits: Sequence[Split]) -> Asked:
    """The distinct questions behind these splits."""
    keys = [_key(split) for split in splits]
    numeric = sorted({key for key in keys if not isinstance(key, Split)})
    others = tuple(dict.fromkeys(key for key in keys if isinstance(key, Split)))
    number = {key: place for place, key in enumerate([*numeric, *others])}
    questions = Questions(np.array([key[2] for key in numeric], dtype=np.float64), _runs(numeric), others)
    is_left = tuple(not isinstance(key, Split) and key[1] for key in keys)
    return Asked(questions, tuple(number[key] for key in keys), is_left)


def _runs(numeric: Sequence[tuple[int, bool, float]]) -> tuple[tuple[int, bool, slice], ...]:
    """Where each feature's questions of one kind stand, in the sorted list of all."""
    places = itertools.groupby(range(len(numeric)), lambda place: numeric[place][:2])
    found = [(key, list(group)) for key, group in places]
    return tuple((*key, slice(group[0], group[-1] + 1)) for key, group in found)


def answer(questions: Questions, columns: Sequence[Vector], rows: slice) -> Bits:
    """One row of bits per question, one column per customer among `rows`; `columns` are the features."""
    bits = np.zeros((questions.nobody + 1, len(columns[0][rows])), np.bool_)
    compare = (np.greater, np.less_equal)
    for feature, is_at_most, asked in questions.numeric:
        compare[is_at_most](columns[feature][rows], questions.thresholds[asked, None], out=bits[asked])
    for place, split in enumerate(questions.others, len(questions.thresholds)):
        bits[place] = goes_right(split, columns[split.feature][rows])
    return bits.view(np.uint8)


def goes_right(split: Split, column: Vector) -> NDArray[np.bool_]:
    """Where LightGBM sends each customer at this split, its rules one by one: what the bits are tested against."""
    is_nan = np.isnan(column)
    if split.labels is not None:
        labels = np.where(is_nan, -1.0, column).astype(np.int64)
        return np.logical_not(np.isin(labels, list(split.labels)))
    number = column if split.missing == "nan" else np.where(is_nan, 0.0, column)
    is_missing = {"nan": is_nan, "zero": np.abs(number) <= ZERO, "none": np.zeros_like(is_nan)}[split.missing]
    return np.where(is_missing, not split.default_left, np.logical_not(number <= split.threshold))


def _key(split: Split) -> tuple[int, bool, float] | Split:
    """What makes two splits one question: the feature, whether NaN must go right ("at most?"), the threshold."""
    if split.labels is not None or split.missing == "zero":
        return split
    nan_goes_left = split.default_left if split.missing == "nan" else split.threshold >= 0
    return split.feature, not nan_goes_left, split.threshold
