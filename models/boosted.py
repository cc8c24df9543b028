"""A LightGBM model that starts from a closed-form view and learns only what that view misses.

The start (the *offset*) is added to the trees' raw score, at training as `init_score` and here by
hand: LightGBM's own predict leaves it out.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import lightgbm as lgb
import numpy as np

from models import frame as frames
from models import lookup
from models.frame import Frame
from models.lookup import Lookup
from models.vectors import Vector


class Boosted(NamedTuple):
    """The trees and the feature columns they read, in their order."""

    booster: lgb.Booster
    names: tuple[str, ...]


def raw(model: Boosted | None, frame: Frame, offset: Vector) -> Vector:
    """Offset plus trees, on the scale of the link (log-odds or log-money). No model: the offset."""
    if model is None or len(offset) == 0:
        return offset
    added: Vector = np.asarray(model.booster.predict(frames.matrix(frame, model.names), raw_score=True))
    return offset + added


def contributions(
    model: Boosted | None, frame: Frame, groups: tuple[str, ...] | None = None
) -> tuple[dict[str, Vector], Vector]:
    """Exact TreeSHAP (Lundberg, Erion & Lee 2018) per feature, and the trees' base value.

    For each customer the contributions and the base value add up to what the trees add to the offset. `groups`, one
    name per feature of the model, asks for sums instead. What adds nothing to anybody may be left out. Small trees are
    looked up (`models.lookup`); trees with paths longer than `shapley.MOST` are left to LightGBM, forty times slower.
    """
    n = frames.size(frame)
    if model is None or n == 0:
        return {}, np.zeros(n)
    groups = groups or model.names
    table = _lookup(model.booster, groups)
    if table is None:
        return _by_lightgbm(model, frame, groups)
    columns = np.stack([frame[name] for name in model.names])
    return lookup.contributions(table, columns), np.full(n, table.base)


@functools.lru_cache(maxsize=8)
def _lookup(booster: lgb.Booster, groups: tuple[str, ...]) -> Lookup | None:
    """The tables of a model that has been asked once, None where its trees are of another kind."""
    try:
        return lookup.of(booster.model_to_string(), groups)
    except ValueError:
        return None


def _by_lightgbm(model: Boosted, frame: Frame, groups: tuple[str, ...]) -> tuple[dict[str, Vector], Vector]:
    shap = np.asarray(model.booster.predict(frames.matrix(frame, model.names), pred_contrib=True))
    sums = {group: np.zeros(len(shap)) for group in groups}
    for group, column in zip(groups, shap.T, strict=False):  # the last column is the base value
        sums[group] += column
    return sums, shap[:, -1]


def to_text(model: Boosted) -> str:
    """LightGBM's own text format: readable, and nothing in it can run."""
    return str(model.booster.model_to_string())


def from_text(text: str, names: tuple[str, ...]) -> Boosted:
    return Boosted(lgb.Booster(model_str=text), names)
