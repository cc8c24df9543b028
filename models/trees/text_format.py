"""LightGBM's text format, read into splits, leaves and row counts.

Names are LightGBM's own. Children are numbered as there: 0 and above are splits, -1 - k is leaf k.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np

ZERO_THRESHOLD = float(np.float32(1e-35))
"""LightGBM takes a number for 0 if its absolute value is at most this (`kZeroThreshold`)."""

MissingType = Literal["none", "zero", "nan"]
_MISSING_TYPES: tuple[MissingType, ...] = ("none", "zero", "nan")
_CATEGORICAL, _DEFAULT_LEFT = 1, 2  # bits of decision_type; the two above them are the missing type


class Split(NamedTuple):
    """Rows with `feature <= threshold`, or with `feature` in `categories`, go to the left child.

    `missing_type` says which numbers are missing: "nan", "zero" (0 and NaN), or "none", which reads NaN as 0. Missing
    numbers go to the `default_left` side. `categories` is None for a numerical split; a missing category goes right.
    """

    feature: int
    threshold: float
    categories: frozenset[int] | None
    missing_type: MissingType
    default_left: bool


class Tree(NamedTuple):
    """One entry per split: `splits`, its children, its training rows. One entry per leaf: value and training rows."""

    splits: tuple[Split, ...]
    left_child: tuple[int, ...]
    right_child: tuple[int, ...]
    internal_count: tuple[int, ...]
    leaf_value: tuple[float, ...]
    leaf_count: tuple[int, ...]

    @property
    def root(self) -> int:
        """The node at the top: split 0, or the only leaf."""
        return 0 if self.splits else -1

    def count(self, node: int) -> int:
        """Training rows that reached a split or a leaf."""
        return self.internal_count[node] if node >= 0 else self.leaf_count[-1 - node]

    @property
    def mean(self) -> float:
        """The mean leaf value over the training rows."""
        if not self.splits:
            return self.leaf_value[0]
        total = self.internal_count[0]
        return sum(count / total * value for count, value in zip(self.leaf_count, self.leaf_value, strict=True))


def parse(text: str) -> list[Tree]:
    """The trees of a model in their order. Raises ValueError for linear trees, whose leaves hold no single value.

    >>> stump = "Tree=0 num_leaves=2 split_feature=3 threshold=1.5 decision_type=10 left_child=-1 right_child=-2"
    >>> leaves = "leaf_value=0.5,-1 leaf_count=2,1 internal_count=3"
    >>> tree = parse(f"{stump} {leaves}".replace(" ", "\\n").replace(",", " "))[0]
    >>> tree.splits[0]
    Split(feature=3, threshold=1.5, categories=None, missing_type='nan', default_left=True)
    >>> tree.mean
    0.0
    """
    return [_tree(block) for block in _blocks(text)]


def _blocks(text: str) -> Iterator[Mapping[str, str]]:
    """The `key=value` lines of each tree."""
    for block in text.partition("end of trees")[0].split("Tree=")[1:]:
        yield dict(line.split("=", 1) for line in block.splitlines()[1:] if "=" in line)


def _tree(block: Mapping[str, str]) -> Tree:
    if block.get("is_linear", "0") != "0":
        raise ValueError("a linear tree has no single value per leaf")
    leaf_value = _floats(block, "leaf_value")
    if int(block["num_leaves"]) == 1:
        return Tree((), (), (), (), leaf_value, (1,))
    return Tree(
        _splits(block),
        _integers(block, "left_child"),
        _integers(block, "right_child"),
        _integers(block, "internal_count"),
        leaf_value,
        _integers(block, "leaf_count"),
    )


def _splits(block: Mapping[str, str]) -> tuple[Split, ...]:
    columns = (_integers(block, "split_feature"), _floats(block, "threshold"), _integers(block, "decision_type"))
    return tuple(_split(block, *numbers) for numbers in zip(*columns, strict=True))


def _split(block: Mapping[str, str], feature: int, threshold: float, decision_type: int) -> Split:
    categories = _categories(block, int(threshold)) if decision_type & _CATEGORICAL else None
    missing_type = _MISSING_TYPES[decision_type >> 2 & 3]
    return Split(feature, threshold, categories, missing_type, bool(decision_type & _DEFAULT_LEFT))


def _categories(block: Mapping[str, str], k: int) -> frozenset[int]:
    """The k-th set of categories: the bits that are set in its words of 32 bits."""
    start, end = _integers(block, "cat_boundaries")[k : k + 2]
    words = _integers(block, "cat_threshold")[start:end]
    return frozenset(32 * place + bit for place, word in enumerate(words) for bit in range(32) if word >> bit & 1)


def _integers(block: Mapping[str, str], name: str) -> tuple[int, ...]:
    return tuple(map(int, block[name].split()))


def _floats(block: Mapping[str, str], name: str) -> tuple[float, ...]:
    return tuple(map(float, block[name].split()))
