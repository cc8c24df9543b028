"""LightGBM trees: predictions and TreeSHAP values on the scale of the link.

A start (the *offset*) may be added to the trees' raw score: LightGBM takes it at training as `init_score` and leaves it
out of its own predictions.

Trees of the default size are evaluated by table lookup (`models.trees.predict`), with the same bits as LightGBM's
prediction. LightGBM's library takes longer to import than 100,000 customers take to score. It is loaded only for trees
with more than `subtrees.MOST_SPLITS` splits on a path.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.models import frame as frames
from tiercast.models.frame import Frame
from tiercast.models.trees import predict, subtrees, text_format
from tiercast.models.trees.predict import LeafTables, ShapTables
from tiercast.models.trees.subtrees import Forest

if TYPE_CHECKING:
    import lightgbm as lgb

CACHED_MODELS = 16


class BoostedTrees(NamedTuple):
    """The trees in LightGBM's text format, and the feature columns they read, in their order."""

    text: str
    names: tuple[str, ...]

    @property
    def booster(self) -> lgb.Booster:
        """The trees as a LightGBM booster."""
        return _booster(self.text)


def from_booster(booster: lgb.Booster, names: tuple[str, ...]) -> BoostedTrees:
    """The trees of a booster in LightGBM's text format: readable, exact, and not executable."""
    return BoostedTrees(str(booster.model_to_string()), names)


def raw_score(model: BoostedTrees | None, frame: Frame, offset: Vector) -> Vector:
    """Offset plus trees, on the scale of the link (log-odds or log-money). Without a model: the offset."""
    if model is None or len(offset) == 0:
        return offset
    tables = _leaf_tables(model.text)
    if tables is None:
        added: Vector = np.asarray(model.booster.predict(frames.matrix(frame, model.names), raw_score=True))
        return offset + added
    return offset + predict.raw_scores(tables, _columns(model, frame))


def contributions(
    model: BoostedTrees | None, frame: Frame, groups: tuple[str, ...] | None = None
) -> tuple[dict[str, Vector], Vector]:
    """Exact TreeSHAP values (Lundberg, Erion & Lee 2018) per feature, and the trees' base value.

    Contributions and base value of a customer add up to what the trees add to the offset. `groups` has one name per
    feature; contributions are then summed by group. Features that contribute nothing to any customer may be left out.
    """
    n = frames.size(frame)
    if model is None or n == 0:
        return {}, np.zeros(n)
    tables = _shap_tables(model.text, groups or model.names)
    if tables is None:
        return _contributions_by_lightgbm(model, frame, groups or model.names)
    return predict.contributions(tables, _columns(model, frame)), np.full(n, tables.forest.base)


def explain(
    model: BoostedTrees | None, frame: Frame, offset: Vector, groups: tuple[str, ...]
) -> tuple[Vector, dict[str, Vector]]:
    """`raw_score`, and `contributions` by group, in less time than one after the other."""
    if model is not None and len(offset) > 0:
        leaves, shares = _leaf_tables(model.text), _shap_tables(model.text, groups)
        if leaves is not None and shares is not None:
            added, sums = predict.explain(leaves, shares, _columns(model, frame))
            return offset + added, sums
    return raw_score(model, frame, offset), contributions(model, frame, groups)[0]


def _contributions_by_lightgbm(
    model: BoostedTrees, frame: Frame, groups: tuple[str, ...]
) -> tuple[dict[str, Vector], Vector]:
    values = np.asarray(model.booster.predict(frames.matrix(frame, model.names), pred_contrib=True))
    sums = {group: np.zeros(len(values)) for group in groups}
    for group, column in zip(groups, values.T, strict=False):  # the last column is the base value
        sums[group] += column
    return sums, values[:, -1]


def _columns(model: BoostedTrees, frame: Frame) -> list[Vector]:
    return [frame[name] for name in model.names]


@functools.lru_cache(CACHED_MODELS)
def _booster(text: str) -> lgb.Booster:
    import lightgbm as lgb

    return lgb.Booster(model_str=text)


@functools.lru_cache(CACHED_MODELS)
def _forest(text: str) -> Forest | None:
    """The trees as subtrees; None if they are too deep or linear."""
    try:
        return subtrees.from_trees(text_format.parse(text))
    except ValueError:
        return None


@functools.lru_cache(CACHED_MODELS)
def _leaf_tables(text: str) -> LeafTables | None:
    forest = _forest(text)
    return forest and predict.leaf_tables(forest)


@functools.lru_cache(CACHED_MODELS)
def _shap_tables(text: str, groups: tuple[str, ...]) -> ShapTables | None:
    forest = _forest(text)
    return forest and predict.shap_tables(forest, groups)
