"""Three forecasts of one quantity, averaged on the scale of the link: closed form, linear model, trees.

    link = w₁ closed form + w₂ linear model + w₃ trees          weights >= 0, their sum is 1

The closed form ages a cohort and needs no data; the linear model, shrunk to it, corrects what all customers share; the
trees rank best. Each fails elsewhere, and an average is rarely far worse than the best of its members. The scale is
log-odds for churn and log-money for value, so contributions add up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tiercast.contract.vectors import Matrix, Vector
from tiercast.models import frame as frames
from tiercast.models import linear, relative
from tiercast.models.frame import Frame
from tiercast.models.linear import START, LinearModel
from tiercast.models.trees import boosted
from tiercast.models.trees.boosted import BoostedTrees

Weights = tuple[float, float, float]
Groups = Callable[[str], str | None]
MEMBERS = ("closed_form", "linear", "trees")
CLOSED_FORM: Weights = (1.0, 0.0, 0.0)
EQUAL: Weights = (1 / 3, 1 / 3, 1 / 3)


class Stack(NamedTuple):
    """The learned members and the weights of all three; `days` is the horizon that columns are relative to."""

    days: float
    linear: LinearModel | None = None
    trees: BoostedTrees | None = None
    weights: Weights = CLOSED_FORM


def link(model: Stack, frame: Frame, start: Vector) -> Vector:
    """The weighted mean of the members; `start` is the closed form's own link. NaN for prospects."""
    closed, line, tree = model.weights
    found = closed * start
    if model.linear is not None and line:
        found = found + line * _linear(model.linear, frame, start, model.days)
    if model.trees is not None and tree:
        found = found + tree * _trees(model.trees, frame, model.days)
    return np.asarray(found)


def members(model: Stack, frame: Frame, start: Vector) -> Matrix:
    """The three links side by side, shape (customers, 3). Raises ValueError where a member was not learned."""
    if model.linear is None or model.trees is None:
        raise ValueError("a stack without its learned members has nothing to weigh")
    line = _linear(model.linear, frame, start, model.days)
    return np.column_stack([start, line, _trees(model.trees, frame, model.days)])


def explain(
    model: Stack, frame: Frame, start: Vector, group_of: Groups, closed_form: str
) -> tuple[Vector, dict[str, Vector]]:
    """`link`, and what each group of features adds to it.

    The closed form's part belongs to the feature `closed_form`. `group_of` names the group of a feature, None for none.
    If every feature has a group, the parts differ from the link by a constant.
    """
    closed, line, tree = model.weights
    found, out = closed * start, dict[str, Vector]()
    _add(out, group_of(closed_form), (closed + line) * start)
    if model.linear is not None and line:
        terms = linear.terms(model.linear, frame, start, model.days)
        found = found + line * linear.link(model.linear, start, terms)
        for name, part in terms.items():
            _add(out, group_of(closed_form if name == START else relative.source(name)), line * part)
    if model.trees is not None and tree:
        raw, parts = _explain_trees(model.trees, frame, model.days, group_of)
        found = found + tree * raw
        for group, part in parts.items():
            _add(out, group, tree * part)
    return np.asarray(found), out


def _linear(model: LinearModel, frame: Frame, start: Vector, days: float) -> Vector:
    return linear.link(model, start, linear.terms(model, frame, start, days))


def _trees(trees: BoostedTrees, frame: Frame, days: float) -> Vector:
    return boosted.raw_score(trees, relative.columns(frame, trees.names, days), np.zeros(frames.size(frame)))


def _explain_trees(
    trees: BoostedTrees, frame: Frame, days: float, group_of: Groups
) -> tuple[Vector, dict[str, Vector]]:
    groups = tuple(group_of(relative.source(name)) or "" for name in trees.names)
    columns = relative.columns(frame, trees.names, days)
    return boosted.explain(trees, columns, np.zeros(frames.size(frame)), groups)


def _add(out: dict[str, Vector], group: str | None, part: Vector) -> None:
    if group:
        known = np.nan_to_num(part)
        out[group] = out[group] + known if group in out else known
