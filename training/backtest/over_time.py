"""The metrics of a backtest as series, ours and the closed form's, and what they come to over all dates."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tiercast.training.backtest.day import Day
from tiercast.training.evaluation import ranges
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.judge.holdout import CLOSED_FORM, MODEL

RANGES = tuple(f"value_{name}" for name in ranges.SHARES)
SHOWN = ("churn_auc", "churn_brier", "churn_ece", "value_ngini", "value_mae", "value_bias", *RANGES)
HIGHER_IS_BETTER = {"churn_auc", "value_ngini"}


class Point(NamedTuple):
    """One metric on one date; `closed_form` is None where it has no such number."""

    as_of: dt.date
    ours: Metric
    closed_form: Metric | None


class Overall(NamedTuple):
    """One metric over all dates. `better_on` dates ours was the better one, `beyond_noise_on` of them beyond noise.

    The two are None where nothing is compared: shares outside a range have no rival, and only some metrics are paired.
    """

    metric: str
    dates: int
    mean: float
    lowest: float
    highest: float
    closed_form: float | None
    better_on: int | None
    beyond_noise_on: int | None


def series(days: Sequence[Day], metric: str) -> list[Point]:
    """The dates on which `metric` (`churn_auc`, `value_above`, ...) was measured, oldest first."""
    points = [(day, _point(day.card, metric)) for day in days]
    return [Point(day.as_of, *found) for day, found in points if found is not None]


def overall(days: Sequence[Day]) -> list[Overall]:
    """One row for each of `SHOWN` that was measured on any date."""
    return [_overall(metric, found, days) for metric in SHOWN if (found := series(days, metric))]


def _point(card: Mapping[str, Any], metric: str) -> tuple[Metric, Metric | None] | None:
    target, _, name = metric.partition("_")
    if target not in card:
        return None
    if metric in RANGES:
        shares = card[target]["intervals"]["overall"]
        found = ranges.share_with_interval(shares[name], shares[f"n_{name}"])
        return (found, None) if shares[f"n_{name}"] else None
    models = card[target]["models"]
    return Metric(**models[MODEL][name]), Metric(**models[CLOSED_FORM][name])


def _overall(metric: str, points: Sequence[Point], days: Sequence[Day]) -> Overall:
    values = [point.ours.value for point in points]
    rivals = [point.closed_form.value for point in points if point.closed_form]
    gains = [day.gains[metric] for day in days if metric in day.gains]
    return Overall(
        metric,
        len(points),
        float(np.mean(values)),
        min(values),
        max(values),
        float(np.mean(rivals)) if rivals else None,
        sum(_is_better(metric, p.ours.value, p.closed_form.value) for p in points if p.closed_form) if rivals else None,
        sum(gain["low"] > 0 for gain in gains) if gains else None,
    )


def _is_better(metric: str, ours: float, theirs: float) -> bool:
    """A total is the better the nearer it is to what happened; equal but for rounding is not better."""
    if math.isclose(ours, theirs, rel_tol=1e-9):
        return False
    if metric == "value_bias":
        return abs(ours) < abs(theirs)
    return ours > theirs if metric in HIGHER_IS_BETTER else ours < theirs
