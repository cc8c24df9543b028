"""Growing LightGBM trees on top of an offset, and choosing how many by later time.

The number of rounds is the one with the lowest mean loss over the folds' later windows; the folds'
own predictions there are kept, because nothing they were fitted on had happened later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.models import frame as frames
from tiercast.models.trees import boosted
from tiercast.models.trees.boosted import BoostedTrees
from tiercast.training.settings import Rolling, Trees
from tiercast.training.windows.schedule import Fold
from tiercast.training.windows.snapshots import Snapshot

Objective = Literal["binary", "tweedie"]
PATIENCE = 25  # rounds without a gain on the later window after which a fold stops; its loss is then held
LOSS = {"binary": "binary_logloss", "tweedie": "tweedie"}


class Task(NamedTuple):
    """What to learn: the target and the offset of a snapshot, and the columns to learn from."""

    objective: Objective
    target: Callable[[Snapshot], Vector]
    offset: Callable[[Snapshot], Vector]
    names: tuple[str, ...]
    labels: tuple[str, ...]


class Choice(NamedTuple):
    """`losses` is the mean loss after each round on later time; `by_fold` the trees of each fold, `rounds` of them."""

    rounds: int
    losses: Vector
    by_fold: tuple[BoostedTrees, ...]


class Watched(NamedTuple):
    """Trees grown on one fold, and their loss on its later window after each round."""

    booster: lgb.Booster
    losses: Vector


def choose_rounds(task: Task, folds: Sequence[Fold], trees: Trees, rolling: Rolling) -> Choice:
    """How many trees help on later windows, judged over all folds together."""
    return settle(task, folds, [watch(task, fold, trees, rolling) for fold in folds], trees, rolling)


def settle(task: Task, folds: Sequence[Fold], grown: Sequence[Watched], trees: Trees, rolling: Rolling) -> Choice:
    """The number of rounds that is best over these folds together, and each fold's trees in that number.

    What calibration and shrinkage then learn from is as strong a model as the one they are used on, also where a fold
    of its own would have stopped earlier.
    """
    losses = mean_losses(folds, grown)
    rounds = int(np.argmin(losses)) + 1
    pairs = zip(folds, grown, strict=True)
    return Choice(rounds, losses, tuple(_at(rounds, task, fold, each, trees, rolling) for fold, each in pairs))


def mean_losses(folds: Sequence[Fold], grown: Sequence[Watched]) -> Vector:
    """The mean loss after each round over the folds' customers; a fold that has stopped keeps its last loss."""
    weights = [len(fold.test.features) for fold in folds]
    longest = max(len(each.losses) for each in grown)
    padded = [np.pad(each.losses, (0, longest - len(each.losses)), mode="edge") for each in grown]
    return np.average(padded, axis=0, weights=weights)


def grow(task: Task, snapshots: Sequence[Snapshot], rounds: int, trees: Trees, rolling: Rolling) -> BoostedTrees:
    """Trees on all the given windows."""
    booster = lgb.train(_parameters(task, trees, rolling), _dataset(task, snapshots), rounds)
    return boosted.from_booster(booster, task.names)


def watch(task: Task, fold: Fold, trees: Trees, rolling: Rolling) -> Watched:
    """Trees on a fold's earlier windows, until its later window has gained nothing for a while."""
    train = _dataset(task, fold.train)
    later = _dataset(task, [fold.test], reference=train)
    seen: dict[str, dict[str, list[float]]] = {}
    booster = lgb.train(
        _parameters(task, trees, rolling),
        train,
        trees.most_rounds,
        valid_sets=[later],
        valid_names=["later"],
        callbacks=[lgb.record_evaluation(seen), lgb.early_stopping(PATIENCE, verbose=False)],
        keep_training_booster=True,  # else the trees after this fold's own best round are thrown away
    )
    return Watched(booster, np.array(seen["later"][LOSS[task.objective]]))


def _at(rounds: int, task: Task, fold: Fold, grown: Watched, trees: Trees, rolling: Rolling) -> BoostedTrees:
    """The fold's trees cut to `rounds`, or grown anew where it had stopped before."""
    if grown.booster.num_trees() < rounds:
        return grow(task, fold.train, rounds, trees, rolling)
    return BoostedTrees(grown.booster.model_to_string(num_iteration=rounds), task.names)


def _dataset(task: Task, snapshots: Sequence[Snapshot], reference: lgb.Dataset | None = None) -> lgb.Dataset:
    columns: NDArray[np.float64] = np.concatenate([frames.matrix(s.frame, task.names) for s in snapshots])
    return lgb.Dataset(
        columns,
        np.concatenate([task.target(s) for s in snapshots]),
        init_score=np.concatenate([task.offset(s) for s in snapshots]),
        feature_name=_plain(task.names),
        categorical_feature=[place for place, name in enumerate(task.names) if name in task.labels],
        reference=reference,
    )


def _plain(names: Sequence[str]) -> list[str]:
    """Names that LightGBM takes: it refuses JSON's signs and changes blanks; the place keeps them different.

    >>> _plain(["n_orders", "attr_size: cm", "attr_size, cm"])
    ['n_orders', '1_attr_size__cm', '2_attr_size__cm']
    """
    plain = [re.sub(r"\W", "_", name) for name in names]
    return [p if p == name else f"{place}_{p}" for place, (name, p) in enumerate(zip(names, plain, strict=True))]


def _parameters(task: Task, trees: Trees, rolling: Rolling) -> dict[str, Any]:
    chosen = trees.model_dump(exclude={"most_rounds", "rounds_without_folds"})
    return {
        **chosen,
        "objective": task.objective,
        "metric": LOSS[task.objective],
        "bagging_freq": 1,
        "seed": rolling.seed,
        "num_threads": rolling.threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
