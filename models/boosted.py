"""A LightGBM model that starts from a closed-form view and learns only what that view misses.

The start (the *offset*) is added to the trees' raw score, at training as `init_score` and here by
hand: LightGBM's own predict leaves it out.

Small trees, the default, are looked up (`models.lookup`): the same bits as LightGBM's own prediction, and its library,
whose import takes longer than scoring 100,000 customers, is only loaded for trees with paths of more than
`shapley.MOST` splits.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.models import forest, lookup, patterns
from tiercast.models import frame as frames
from tiercast.models.frame import Frame
from tiercast.models.lookup import Shares, Values
from tiercast.models.patterns import Cut

if TYPE_CHECKING:
    import lightgbm as lgb

KEPT = 16  # models whose tables stay in memory


class Boosted(NamedTuple):
    """The trees as LightGBM's text, and the feature columns they read, in their order."""

    text: str
    names: tuple[str, ...]

    @property
    def booster(self) -> lgb.Booster:
        """The trees as LightGBM holds them."""
        return _booster(self.text)


def of(booster: lgb.Booster, names: tuple[str, ...]) -> Boosted:
    """The trees of a booster, by LightGBM's own text format: readable, exact, and nothing in it can run."""
    return Boosted(str(booster.model_to_string()), names)


def raw(model: Boosted | None, frame: Frame, offset: Vector) -> Vector:
    """Offset plus trees, on the scale of the link (log-odds or log-money). No model: the offset."""
    if model is None or len(offset) == 0:
        return offset
    tables = _values(model.text)
    if tables is None:
        added: Vector = np.asarray(model.booster.predict(frames.matrix(frame, model.names), raw_score=True))
        return offset + added
    return offset + lookup.predict(tables, _columns(model, frame))


def contributions(
    model: Boosted | None, frame: Frame, groups: tuple[str, ...] | None = None
) -> tuple[dict[str, Vector], Vector]:
    """Exact TreeSHAP (Lundberg, Erion & Lee 2018) per feature, and the trees' base value.

    For each customer the contributions and the base value add up to what the trees add to the offset. `groups`, one
    name per feature of the model, asks for sums instead. What adds nothing to anybody may be left out.
    """
    n = frames.size(frame)
    if model is None or n == 0:
        return {}, np.zeros(n)
    tables = _shares(model.text, groups or model.names)
    if tables is None:
        return _by_lightgbm(model, frame, groups or model.names)
    return lookup.contributions(tables, _columns(model, frame)), np.full(n, tables.base)


def explained(
    model: Boosted | None, frame: Frame, offset: Vector, groups: tuple[str, ...]
) -> tuple[Vector, dict[str, Vector]]:
    """`raw`, and `contributions` by group, in less time than one after the other."""
    if model is not None and len(offset) > 0:
        whole, parts = _values(model.text), _shares(model.text, groups)
        if whole is not None and parts is not None:
            added, sums = lookup.explained(whole, parts, _columns(model, frame))
            return offset + added, sums
    return raw(model, frame, offset), contributions(model, frame, groups)[0]


def _by_lightgbm(model: Boosted, frame: Frame, groups: tuple[str, ...]) -> tuple[dict[str, Vector], Vector]:
    shap = np.asarray(model.booster.predict(frames.matrix(frame, model.names), pred_contrib=True))
    sums = {group: np.zeros(len(shap)) for group in groups}
    for group, column in zip(groups, shap.T, strict=False):  # the last column is the base value
        sums[group] += column
    return sums, shap[:, -1]


def _columns(model: Boosted, frame: Frame) -> list[Vector]:
    return [frame[name] for name in model.names]


@functools.lru_cache(KEPT)
def _booster(text: str) -> lgb.Booster:
    import lightgbm as lgb

    return lgb.Booster(model_str=text)


@functools.lru_cache(KEPT)
def _cut(text: str) -> Cut | None:
    """The trees in pieces; None for those that are too deep, or have linear leaves."""
    try:
        return patterns.of(forest.parse(text))
    except ValueError:
        return None


@functools.lru_cache(KEPT)
def _values(text: str) -> Values | None:
    cut = _cut(text)
    return cut and lookup.values(cut)


@functools.lru_cache(KEPT)
def _shares(text: str, groups: tuple[str, ...]) -> Shares | None:
    cut = _cut(text)
    return cut and lookup.shares(cut, groups)
