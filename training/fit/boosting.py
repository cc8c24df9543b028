"""Growing LightGBM trees on the windows of a target: a fixed number, each window with its weight."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.models import frame as frames
from tiercast.models import relative
from tiercast.models.trees import boosted
from tiercast.models.trees.boosted import BoostedTrees
from tiercast.training.settings import Rolling, Trees
from tiercast.training.windows.snapshots import Snapshot

Objective = Literal["binary", "tweedie"]


class Target(NamedTuple):
    """What to forecast: the outcome of a snapshot, and the closed form's own forecast of it on the scale of the link.

    `features` are the columns of a snapshot, `labels` those that are categories; `days` is the horizon.
    """

    objective: Objective
    outcome: Callable[[Snapshot], Vector]
    start: Callable[[Snapshot], Vector]
    features: tuple[str, ...]
    labels: tuple[str, ...]
    days: int


def grow(
    target: Target, snapshots: Sequence[Snapshot], weights: Sequence[float], trees: Trees, rolling: Rolling
) -> BoostedTrees:
    """Trees on all the given windows; a weight of ½ counts a window's customers half."""
    names = relative.tree_names(target.features)
    columns: NDArray[np.float64] = np.concatenate([_matrix(target, names, snapshot) for snapshot in snapshots])
    data = lgb.Dataset(
        columns,
        np.concatenate([target.outcome(snapshot) for snapshot in snapshots]),
        weight=per_customer(snapshots, weights),
        feature_name=_plain(names),
        categorical_feature=[place for place, name in enumerate(names) if name in target.labels],
    )
    booster = lgb.train(_parameters(target, trees, rolling), data, trees.rounds)
    return boosted.from_booster(booster, names)


def per_customer(snapshots: Sequence[Snapshot], weights: Sequence[float]) -> Vector:
    """The weight of each window, once per customer."""
    return np.repeat(np.asarray(weights, dtype=np.float64), [len(snapshot.features) for snapshot in snapshots])


def _matrix(target: Target, names: tuple[str, ...], snapshot: Snapshot) -> NDArray[np.float64]:
    return frames.matrix(relative.columns(snapshot.frame, names, target.days), names)


def _plain(names: Sequence[str]) -> list[str]:
    """Names that LightGBM takes: it refuses JSON's signs and changes blanks; the place keeps them different.

    >>> _plain(["n_orders", "attr_size: cm", "attr_size, cm"])
    ['n_orders', '1_attr_size__cm', '2_attr_size__cm']
    """
    plain = [re.sub(r"\W", "_", name) for name in names]
    return [p if p == name else f"{place}_{p}" for place, (name, p) in enumerate(zip(names, plain, strict=True))]


def _parameters(target: Target, trees: Trees, rolling: Rolling) -> dict[str, Any]:
    return {
        **trees.model_dump(exclude={"rounds"}),
        "objective": target.objective,
        "bagging_freq": 1,
        "seed": rolling.seed,
        "num_threads": rolling.threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
