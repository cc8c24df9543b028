"""Forecasts by plain rules: the baselines that stand beside every model.

Each rule that has to learn something learns it on an earlier window whose outcome is known, and is then applied
now, as the models are. Customers who never ordered get nan: there is no rule for them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize

from tiercast.contract import errors
from tiercast.contract.periods import MONTH_DAYS
from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import outcomes, ranking

SILENCE_BINS = 20
_SPEND_WINDOW = re.compile(r"spend_(\d+)d")


class Cohort(NamedTuple):
    """Customers as known on one day, and what they did after it where that is known."""

    features: pd.DataFrame
    """One row per customer, the columns of the feature table."""
    churned: Vector | None = None
    """1 when no order came inside the churn horizon, else 0."""
    value: Vector | None = None
    """Money brought inside the value horizon."""


def churn_baselines(earlier: Cohort, now: Cohort, churn_days: float) -> dict[str, Vector]:
    """Churn probabilities in [0, 1] for the customers of `now`, by rule.

    `base_rate`           the earlier window's churn rate for everybody
    `recency`             the churn rate of equally silent customers in the earlier window
    `halved_window_rule`  1 or 0: no order in the last X days, with the X that separated best in the earlier window
    """
    then, churned = _learnable(earlier, earlier.churned, "churned")
    silence = _column(now, "silence_days")
    x_days = best_window(then, churned, churn_days)
    return {
        "base_rate": np.where(np.isfinite(silence), churned.mean(), np.nan),
        "recency": np.interp(silence, *rising_rate(then, churned)),
        "halved_window_rule": np.where(np.isfinite(silence), silence > x_days, np.nan),
    }


def value_baselines(earlier: Cohort, now: Cohort, value_days: float) -> dict[str, Vector]:
    """Money forecast for the next `value_days` for the customers of `now`, by rule.

    `zero`               nothing, for everybody
    `naive_rate`         repeat orders per day so far, kept up, at the customer's mean order value: x / T * h * mean
    `last_window_spend`  what the last `value_days` brought, see `last_window_spend`
    `average_spend`      average spend so far times retention, see `average_spend`
    `recency`            mean value of equally silent customers in the earlier window, in twenty bins of equal count
    """
    then, value = _learnable(earlier, earlier.value, "value")
    known = _column(now, "age_days")
    return {
        "zero": np.where(np.isfinite(known), 0.0, np.nan),
        "naive_rate": naive_rate(now, value_days),
        "last_window_spend": last_window_spend(now, value_days),
        "average_spend": average_spend(now, value_days, float(np.mean(value > 0))),
        "recency": mean_by_bin(then, value, _column(now, "silence_days")),
    }


def rising_rate(silence: Vector, churned: Vector) -> tuple[Vector, Vector]:
    """Silence in days and the churn rate there, as knots of a line that never falls.

    Isotonic regression gives steps, and a step ties customers whom their silence tells apart. Each step is
    therefore put at the mean silence of its customers and the line drawn between: centred isotonic regression
    (Oron & Flournoy 2017, doi 10.1080/19466315.2017.1286256). Flat outside the first and the last knot.

    >>> rising_rate(np.array([1.0, 2.0, 9.0, 9.0]), np.array([0.0, 0.0, 0.0, 1.0]))
    (array([1.5, 9. ]), array([0. , 0.5]))
    """
    days, place = np.unique(silence, return_inverse=True)
    customers = np.bincount(place).astype(np.float64)
    rate = np.bincount(place, churned) / customers
    steps = optimize.isotonic_regression(rate, weights=customers)
    starts = steps.blocks[:-1]
    centre = np.add.reduceat(days * customers, starts) / np.add.reduceat(customers, starts)
    return np.asarray(centre), np.asarray(steps.x)[starts]


def halved_windows(churn_days: float) -> list[float]:
    """The window, its half, and so on until a month or less is reached: the candidates of Dynamics 365's baseline.

    >>> halved_windows(180)
    [180.0, 90.0, 45.0, 22.5]
    """
    windows = [float(churn_days)]
    while windows[-1] > MONTH_DAYS:
        windows.append(windows[-1] / 2)
    return windows


def best_window(silence: Vector, churned: Vector, churn_days: float) -> float:
    """The X for which "no order in the last X days" separated churners best in the earlier window; ties: the longest.

    Best by the AUC of the 0/1 rule, which is the mean of the rates right among churners and among the kept. By plain
    accuracy a base in which most people churn would call everybody churned.
    """
    windows = halved_windows(churn_days)
    if churned.min() == churned.max():
        return windows[0]
    return max(windows, key=lambda x: ranking.auc(outcomes.pair((silence > x).astype(np.float64), churned)))


def naive_rate(now: Cohort, value_days: float) -> Vector:
    """x / T * h orders at the mean order value so far; one-time buyers are expected to bring nothing."""
    orders = _column(now, "n_repeat_orders") / np.maximum(_column(now, "age_days"), 1.0) * value_days
    return np.asarray(orders * _column(now, "order_value_mean"))


def average_spend(now: Cohort, value_days: float, retention: float = 1.0) -> Vector:
    """Spend per month so far, times the months ahead, times the share who come back: Dynamics 365's rule.

    A customer of less than a month has spent for one month. The retention is one number for all, so it moves the
    total and ranks nobody.
    """
    months = np.maximum(_column(now, "age_days"), MONTH_DAYS) / MONTH_DAYS
    return np.asarray(_column(now, "spend_total") / months * (value_days / MONTH_DAYS) * retention)


def last_window_spend(now: Cohort, value_days: float) -> Vector:
    """What the last `value_days` before as_of brought, repeated.

    Read from `spend_{w}d` with the w nearest to `value_days` among those present (the shorter of two equally
    near), scaled by value_days / w.
    """
    present = sorted(int(found[1]) for name in now.features if (found := _SPEND_WINDOW.fullmatch(str(name))))
    if not present:
        raise errors.MissingColumn(
            "no column spend_<days>d is there to tell what the last window brought.",
            hint="build the features with at least one window.",
        )
    nearest = min(present, key=lambda w: abs(w - value_days))
    return np.asarray(_column(now, f"spend_{nearest}d") * (value_days / nearest))


def mean_by_bin(silence: Vector, value: Vector, silence_now: Vector, bins: int = SILENCE_BINS) -> Vector:
    """Mean value of the customers in the same bin of silence, in money; bins hold equal counts where ties allow.

    Silence beyond what was seen takes the outermost bin.
    """
    cuts = np.quantile(silence, np.linspace(0, 1, bins + 1)[1:-1], method="lower")
    edges = np.unique(cuts[cuts < silence.max()])  # each edge is somebody's silence, so no bin is empty
    place = np.searchsorted(edges, silence)
    means = np.bincount(place, value) / np.bincount(place)
    return np.where(np.isfinite(silence_now), means[np.searchsorted(edges, silence_now)], np.nan)


def _learnable(earlier: Cohort, outcome: Vector | None, name: str) -> tuple[Vector, Vector]:
    """Silence and outcome of the earlier customers who had ordered by then."""
    if outcome is None:
        raise errors.NotEnoughData(
            f"the earlier window has no `{name}`, so no rule can be learned on it.",
            hint=f"pass a Cohort whose window is over, with `{name}` filled.",
        )
    silence = _column(earlier, "silence_days")
    there = np.isfinite(silence) & np.isfinite(outcome)
    if not there.any():
        raise errors.NotEnoughData(
            "nobody in the earlier window had ordered before it.",
            count=0,
            total=len(silence),
            unit="customers",
            hint="move the earlier window to a later date.",
        )
    return silence[there], outcome[there]


def _column(snapshot: Cohort, name: str) -> Vector:
    if name not in snapshot.features:
        raise errors.MissingColumn(
            f"the feature table has no column `{name}`.", hint="pass the table tiercast.features.build made."
        )
    return snapshot.features[name].to_numpy(dtype=np.float64, na_value=np.nan)
