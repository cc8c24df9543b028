"""Boosted trees as arrays: every split, what it sends where, and how many training rows went through it.

Read from LightGBM's own text, so that what the trees do to a customer can be worked out without LightGBM, once for
all customers alike. Children are numbered as there: 0 and above are splits, -1 - k is leaf k.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np

ZERO = float(np.float32(1e-35))
"""What is nearer to 0 than this is 0 to LightGBM."""

Missing = Literal["none", "zero", "nan"]
_MISSING: tuple[Missing, ...] = ("none", "zero", "nan")
_IS_LABEL, _DEFAULT_LEFT = 1, 2


class Split(NamedTuple):
    """A question to a customer: `feature <= threshold`, or `feature in labels`; yes goes left.

    `missing` says what has no answer and goes `default_left` or right: NaN, or zero and NaN; with "none" NaN counts as
    0. `labels` is None for numbers; a label that is missing always goes right.
    """

    feature: int
    threshold: float
    labels: frozenset[int] | None
    missing: Missing
    default_left: bool


class Tree(NamedTuple):
    """Lists by split: `splits`, `left`, `right`, `rows` (of training); by leaf: `values`, `leaf_rows`."""

    splits: tuple[Split, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    rows: tuple[int, ...]
    values: tuple[float, ...]
    leaf_rows: tuple[int, ...]

    def rows_at(self, node: int) -> int:
        """Training rows of a split or a leaf."""
        return self.rows[node] if node >= 0 else self.leaf_rows[-1 - node]

    @property
    def mean(self) -> float:
        """What the tree adds to the average training row."""
        if not self.splits:
            return self.values[0]
        return sum(rows / self.rows[0] * value for rows, value in zip(self.leaf_rows, self.values, strict=True))


def parse(text: str) -> list[Tree]:
    """The trees of a model in LightGBM's text format, in their order. Raises ValueError for trees with linear leaves.

    >>> stump = "Tree=0 num_leaves=2 split_feature=3 threshold=1.5 decision_type=10 left_child=-1 right_child=-2"
    >>> leaves = "leaf_value=0.5,-1 leaf_count=2,1 internal_count=3"
    >>> tree = parse(f"{stump} {leaves}".replace(" ", "\\n").replace(",", " "))[0]
    >>> tree.splits[0]
    Split(feature=3, threshold=1.5, labels=None, missing='nan', default_left=True)
    >>> tree.mean
    0.0
    """
    return [_tree(block) for block in _blocks(text)]


def _blocks(text: str) -> Iterator[Mapping[str, str]]:
    for block in text.partition("end of trees")[0].split("Tree=")[1:]:
        yield dict(line.split("=", 1) for line in block.splitlines()[1:] if "=" in line)


def _tree(block: Mapping[str, str]) -> Tree:
    if block.get("is_linear", "0") != "0":
        raise ValueError("trees with linear leaves have no single value per leaf")
    values, n_leaves = _floats(block, "leaf_value"), int(block["num_leaves"])
    if n_leaves == 1:
        return Tree((), (), (), (), values, (1,))
    return Tree(
        _splits(block),
        _integers(block, "left_child"),
        _integers(block, "right_child"),
        _integers(block, "internal_count"),
        values,
        _integers(block, "leaf_count"),
    )


def _splits(block: Mapping[str, str]) -> tuple[Split, ...]:
    features, kinds = _integers(block, "split_feature"), _integers(block, "decision_type")
    bounds, words = (_integers(block, name) if name in block else () for name in ("cat_boundaries", "cat_threshold"))
    found = []
    for feature, threshold, kind in zip(features, _floats(block, "threshold"), kinds, strict=True):
        where = int(threshold) if kind & _IS_LABEL else None
        labels = None if where is None else _labels(words[bounds[where] : bounds[where + 1]])
        found.append(Split(feature, threshold, labels, _MISSING[kind >> 2 & 3], bool(kind & _DEFAULT_LEFT)))
    return tuple(found)


def _labels(words: tuple[int, ...]) -> frozenset[int]:
    """The set bits of words of 32 bits."""
    return frozenset(32 * k + bit for k, word in enumerate(words) for bit in range(32) if word >> bit & 1)


def _integers(block: Mapping[str, str], name: str) -> tuple[int, ...]:
    return tuple(map(int, block[name].split()))


def _floats(block: Mapping[str, str], name: str) -> tuple[float, ...]:
    return tuple(map(float, block[name].split()))
