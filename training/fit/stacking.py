"""Fit the members of a stack on earlier windows, and their weights on a later one.

Windows count by their age, ½ for every two horizons behind the newest: what customers do changes slowly. The weights
come from the newest window that has a window closed before it. They are pulled towards a third each, for one window
says little: the loss of `a + members · w` plus λ/2 · |w − ⅓|², w >= 0, scaled to a sum of 1. The nuisance `a` keeps a
window's own level out of the weights.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
from scipy import optimize
from scipy.special import expit

from tiercast.contract import vectors
from tiercast.contract.vectors import Matrix, Vector
from tiercast.models import stack
from tiercast.models.stack import Stack, Weights
from tiercast.training.fit import boosting, glm, plain_rules
from tiercast.training.fit.boosting import Objective, Target
from tiercast.training.settings import Rolling, Trees
from tiercast.training.windows.schedule import Fold
from tiercast.training.windows.snapshots import Snapshot

Learner = Callable[[Sequence[Snapshot]], Stack]
PULL = {"binary": 0.01, "tweedie": 0.05}
HALF_LIFE_HORIZONS = 2
LARGEST_LINK = 30.0


def fit(target: Target, snapshots: Sequence[Snapshot], trees: Trees, rolling: Rolling) -> Stack:
    """Both learned members on all given windows, oldest first, a third each with the closed form."""
    ages = by_age([snapshot.as_of for snapshot in snapshots], target.days)
    line = glm.fit(target, tuple(snapshots), ages)
    return Stack(float(target.days), line, boosting.grow(target, snapshots, ages, trees, rolling), stack.EQUAL)


def learner(target: Target, trees: Trees, rolling: Rolling, rule: str = "") -> Learner:
    """What turns windows into a stack: of learned members, equally weighted, or of a plain rule alone."""
    if not rule:
        return lambda snapshots: fit(target, snapshots, trees, rolling)
    return lambda snapshots: plain_rules.fit(target, snapshots, by_age([s.as_of for s in snapshots], target.days), rule)


def by_age(dates: Sequence[dt.date], days: int) -> tuple[float, ...]:
    """The weight of each window.

    >>> by_age([dt.date(2024, 1, 1), dt.date(2024, 3, 1), dt.date(2024, 6, 29)], 60)
    (0.3535533905932738, 0.5, 1.0)
    """
    newest = max(dates)
    return tuple(float(0.5 ** ((newest - day).days / (HALF_LIFE_HORIZONS * days))) for day in dates)


def describe(weights: Weights, n_folds: int) -> str:
    """For the run's notes.

    >>> describe((0.2, 0.35, 0.45), 1)
    'Closed form 20 %, linear model 35 %, trees 45 %, weighed on a later window.'
    """
    closed, line, tree = (f"{weight:.0%}".replace("%", " %") for weight in weights)
    how = "weighed on a later window" if n_folds else "for no later window could weigh them"
    return f"Closed form {closed}, linear model {line}, trees {tree}, {how}."


def weigh(target: Target, fitted: Stack, fold: Fold) -> Weights:
    """The weights that suit the fold's later window, for members fitted on its earlier ones."""
    links = stack.members(fitted, fold.test.frame, target.start(fold.test))
    return weights_for(links, target.outcome(fold.test), target.objective)


def weights_for(links: Matrix, outcome: Vector, objective: Objective) -> Weights:
    """Non-negative weights of the columns of `links`, their sum 1.

    >>> truth = np.linspace(-3, 3, 4000)
    >>> outcome = (np.arange(4000) % 97 / 97 < expit(truth)).astype(float)
    >>> weights_for(np.column_stack([0 * truth, truth, -truth]), outcome, "binary")[1] > 0.5
    True
    """
    start, pull = np.full(3, 1 / 3), PULL[objective]
    if objective == "tweedie":
        unit = max(float(outcome.mean()), np.finfo(np.float64).tiny)
        outcome, links = outcome / unit, links - np.log(unit)

    def loss(point: Vector) -> tuple[float, Vector]:
        value, slope = _loss(point[0] + links @ point[1:], outcome, objective)
        away = point[1:] - start
        down = np.concatenate([[slope.sum()], links.T @ slope + pull * away])
        return value + pull / 2 * float(away @ away), down

    bounds = [(None, None), *[(0.0, None)] * 3]
    found = optimize.minimize(loss, np.array([0.0, *start]), jac=True, method="L-BFGS-B", bounds=bounds).x[1:]
    total = float(found.sum())
    if not np.isfinite(total) or total <= 0:
        return stack.EQUAL
    closed, line, tree = (float(weight / total) for weight in found)
    return closed, line, tree


def _loss(link: Vector, outcome: Vector, objective: Objective) -> tuple[float, Vector]:
    """Mean log loss, or mean Tweedie deviance of power 1.5, and its slope by each customer's link."""
    if objective == "binary":
        return float(np.mean(np.logaddexp(0.0, link) - outcome * link)), (expit(link) - outcome) / len(link)
    root = np.exp(0.5 * vectors.bounded(link, -LARGEST_LINK, LARGEST_LINK))
    return float(np.mean(4 * (root + outcome / root))), 2 * (root - outcome / root) / len(link)
