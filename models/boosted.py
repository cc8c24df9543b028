"""A LightGBM model that starts from a closed-form view and learns only what that view misses.

The start (the *offset*) is added to the trees' raw score, at training as `init_score` and here by
hand: LightGBM's own predict leaves it out.
"""

from __future__ import annotations

from typing import NamedTuple

import lightgbm as lgb
import numpy as np

from models import frame as frames
from models.frame import Frame
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


def contributions(model: Boosted | None, frame: Frame) -> tuple[dict[str, Vector], Vector]:
    """Exact TreeSHAP (Lundberg, Erion & Lee 2018) per feature, and the trees' base value.

    For each customer the contributions and the base value add up to what the trees add to the offset.
    """
    n = frames.size(frame)
    if model is None or n == 0:
        return {}, np.zeros(n)
    shap = np.asarray(model.booster.predict(frames.matrix(frame, model.names), pred_contrib=True))
    return {name: shap[:, column] for column, name in enumerate(model.names)}, shap[:, -1]


def to_text(model: Boosted) -> str:
    """LightGBM's own text format: readable, and nothing in it can run."""
    return str(model.booster.model_to_string())


def from_text(text: str, names: tuple[str, ...]) -> Boosted:
    return Boosted(lgb.Booster(model_str=text), names)
