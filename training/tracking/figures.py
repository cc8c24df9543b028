"""The figures of a run, one after the other, by the name they get in MLflow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from tiercast.models import predict
from tiercast.models.trees.boosted import BoostedTrees
from tiercast.tiers import grid as tiers_grid
from tiercast.training.btyd import lifetimes_bridge
from tiercast.training.judge.holdout import MODEL, Judged, ValueJudged
from tiercast.training.plots import churn, grid, intervals, models, value
from tiercast.training.train import Trained

Named = tuple[str, Figure]
ALMOST_ALL = 0.99


def draw(trained: Trained) -> Iterator[Named]:
    """(name, figure) pairs. What was not judged has no picture."""
    yield "grid.png", _grid(trained)
    yield from _lifetimes(trained)
    if trained.churn is not None:
        yield from _churn(trained.churn)
    if trained.value is not None:
        yield from _value(trained.value)
    for target, trees in (("churn", trained.bundle.churn.stack.trees), ("value", trained.bundle.value.stack.trees)):
        if trees is not None:
            yield f"{target}/importance.png", _importance(trees)


def _churn(judged: Judged) -> Iterator[Named]:
    p, happened = judged.forecasts[MODEL], judged.actual
    yield "churn/reliability.png", churn.reliability(p, happened)
    yield "churn/lift_and_gain.png", churn.lift_and_gain(p, happened)
    yield "churn/campaign_profit.png", churn.campaign_profit(p, happened)
    yield "churn/auc.png", _compare(judged, "auc", f"AUC, churn in {judged.days} days")
    yield "churn/brier.png", _compare(judged, "brier", f"Brier score, churn in {judged.days} days", is_error=True)


def _value(found: ValueJudged) -> Iterator[Named]:
    judged = found.judged
    yield "value/decile_lift.png", value.value_lift(judged.forecasts[MODEL], judged.actual)
    yield "value/frequency_bins.png", value.frequency_bins(found.frequency)
    yield "value/ranges.png", intervals.outside(found.intervals)
    yield "value/ngini.png", _compare(judged, "ngini", f"Normalised Gini, value in {judged.days} days")
    yield "value/mae.png", _compare(judged, "mae", f"Mean absolute error, value in {judged.days} days", is_error=True)
    if found.weekly is not None:
        weekly = found.weekly
        yield "value/weekly_orders.png", value.tracking(*weekly[:3], as_of_week=weekly.as_of_week)


def _lifetimes(trained: Trained) -> Iterator[Named]:
    """The views that users of `lifetimes` know, over the range in which nearly all customers lie."""
    features, days = trained.final.now.features, trained.bundle.about.value_days
    most = max(int(features["n_repeat_orders"].quantile(ALMOST_ALL)), 5)
    drawn = lifetimes_bridge.diagrams(trained.bundle.btyd.orders, days, most, features["age_days"].max())
    for name, figure in drawn.items():
        yield f"btyd/lifetimes_{name}.png", figure


def _compare(judged: Judged, metric: str, name: str, *, is_error: bool = False) -> Figure:
    cards = {model: card[metric] for model, card in judged.cards.items()}
    return models.comparison(name, cards, higher_is_better=not is_error, chosen=MODEL)


def _importance(trees: BoostedTrees) -> Figure:
    gains = np.asarray(trees.booster.feature_importance("gain"), dtype=np.float64)
    return models.importance(trees.names, gains)


def _grid(trained: Trained) -> Figure:
    """All buyers known at as_of, in the tiers that the bundle gives them."""
    scored = predict.predict(trained.bundle, trained.final.now.frame)
    rows = tiers_grid.summarise(scored.tiers, scored.value, scored.p_churn)
    worth = {row.tier: row.value_total for row in rows if row.value_total is not None}
    return grid.grid({row.tier: row.customers for row in rows}, worth, trained.bundle.about.currency)
