"""A customer's answers to all questions of a forest, as one small number per piece of a tree.

Bit i of a piece's number is the answer to the question behind its split i. What a piece says of a customer is then a
row of a table with 2 ** splits rows, whatever it is that the table holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.models import questions, shapley
from tiercast.models.forest import Tree
from tiercast.models.questions import Questions
from tiercast.models.shapley import Piece

Patterns = NDArray[np.uint16]


class Cut(NamedTuple):
    """A forest in pieces. `asked` has a row per bit and a column per piece: the number of the question behind the bit.

    `turned` has the bits of a piece set whose question is answered with yes by those who go left. `base` is what the
    trees add to the average training row.
    """

    pairs: tuple[tuple[Tree, Piece], ...]
    questions: Questions
    asked: NDArray[np.intp]
    turned: tuple[int, ...]
    base: float


def of(trees: Sequence[Tree]) -> Cut:
    """The trees in pieces, in their order. Raises ValueError where a tree is too deep."""
    pairs = tuple((tree, piece) for tree in trees for piece in shapley.cut(tree))
    asked = questions.collect([tree.splits[split] for tree, piece in pairs for split in piece.splits])
    ends = itertools.accumulate((len(piece.splits) for _, piece in pairs), initial=0)
    spans = [slice(start, end) for start, end in itertools.pairwise(ends)]
    width = max((span.stop - span.start for span in spans), default=0)
    by_piece = np.full((len(pairs), width), asked.questions.nobody, np.intp)
    for row, span in zip(by_piece, spans, strict=True):
        row[: span.stop - span.start] = asked.numbers[span]
    turned = (sum(is_left << bit for bit, is_left in enumerate(asked.yes_is_left[span])) for span in spans)
    return Cut(pairs, asked.questions, by_piece.T, tuple(turned), sum(tree.mean for tree in trees))


def numbers(cut: Cut, columns: Sequence[Vector], rows: slice) -> Patterns:
    """One row per piece, one column per customer among `rows`; `columns` are the features."""
    answers = questions.answer(cut.questions, columns, rows)
    found = np.zeros((len(cut.pairs), answers.shape[1]), np.uint16)
    for bit, asked in enumerate(cut.asked):
        found |= answers[asked].astype(np.uint16) << bit
    return found
