"""Features relative to the horizon, to the customer's own rhythm and to the closed form, as the models read them.

A day count that every customer of an ageing cohort outgrows tells trees nothing: they cannot extrapolate beyond the
ages that they were grown on. So no column here is a number of days. Silence is measured in horizons, ages and usual
gaps, money in logarithms, and the past in shares and rates.

A name with a `|` is a feature and what was made of it: `silence_days|horizon`. `source` gives the feature back, so that
reasons speak of what the feature table has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from tiercast.contract.periods import MONTH_DAYS
from tiercast.contract.vectors import Vector
from tiercast.models import btyd, calibration
from tiercast.models.frame import Frame

SMALLEST = 1e-9
Column = Callable[[Frame, float], Vector]

_MONEY = ("spend_total", "order_value_mean", "order_value_max", "order_value_first", "order_value_last")
_AS_DAYS = frozenset(
    {
        "n_repeat_orders",
        "recency_days",
        "age_days",
        "repeat_order_value",
        "gap_longest_days",
        "silence_days",
        "silence_over_gap",
        "gap_mean_days",
        "gap_sd_days",
        "gap_last_days",
        "order_value_sd",
        "tenure_days",
        *_MONEY,
        *btyd.NAMES,
    }
)
"""Features that the trees read only in another form."""


def source(name: str) -> str:
    """The feature that a column was made of.

    >>> source("silence_days|horizon"), source("n_orders_90d")
    ('silence_days', 'n_orders_90d')
    """
    return name.partition("|")[0]


def tree_names(features: Iterable[str]) -> tuple[str, ...]:
    """The columns that trees read, for these features of a snapshot.

    >>> tree_names(("n_orders", "age_days", "n_orders_90d", "spend_90d", "orders_trend_90d"))
    ('n_orders|rate', 'n_orders', 'n_orders_90d', 'spend_90d|log', 'n_orders_90d|share')
    """
    given = tuple(features)
    made = [name for name in _MADE if source(name) in given and name not in _NOT_OF_TREES]
    kept = [name for name in given if _is_kept(name)]
    windows = [name for name in given if _is_window(name, "spend_")]
    shares = [name for name in given if _is_window(name, "n_orders_")]
    contacts = [name for name in given if name.endswith("_last_days") and name not in _AS_DAYS]
    year = [name for name in given if name == "spend_last_year"]
    return (
        *made,
        *kept,
        *(f"{name}|log" for name in (*windows, *year)),
        *(f"{name}|share" for name in shares),
        *(f"{name}|horizon" for name in contacts),
    )


def linear_names(features: Iterable[str], days: float) -> tuple[str, ...]:
    """The terms of the generalised linear model: rhythm, silence, and orders in the window nearest to the horizon."""
    return (*_LINEAR, *nearest_window(features, "n_orders_", days))


def nearest_window(features: Iterable[str], what: str, days: float) -> tuple[str, ...]:
    """The logarithm of `what` in the window nearest to the horizon, the shorter of two; nothing without a window.

    >>> nearest_window(("spend_30d", "spend_90d"), "spend_", 60)
    ('spend_30d|log',)
    """
    windows = [int(name[len(what) : -1]) for name in features if _is_window(name, what)]
    return tuple(f"{what}{window}d|log" for window in sorted(windows, key=lambda w: (abs(w - days), w))[:1])


def columns(frame: Frame, names: Iterable[str], days: float) -> dict[str, Vector]:
    """The named columns of a frame that has the `btyd_` columns too; `days` is the horizon."""
    return {name: _column(frame, name, days) for name in names}


def _column(frame: Frame, name: str, days: float) -> Vector:
    if name in _MADE:
        return _MADE[name](frame, days)
    feature, _, form = name.partition("|")
    column = frame[feature]
    if form == "log":
        return _log1p(column)
    if form == "share":
        return np.asarray(column / np.maximum(frame["n_orders"], 1.0))
    return np.asarray(np.log1p(column / days)) if form == "horizon" else column


def _is_window(name: str, what: str) -> bool:
    return name.startswith(what) and name.endswith("d") and name[len(what) : -1].isdigit()


def _is_kept(name: str) -> bool:
    is_made = name in _AS_DAYS or name == "spend_last_year" or name.startswith("orders_trend_")
    return not (is_made or _is_window(name, "spend_") or name.endswith("_last_days"))


def _log1p(money: Vector) -> Vector:
    return np.asarray(np.log1p(np.maximum(money, 0.0)))


def _logarithm(name: str) -> Column:
    return lambda frame, _: _log1p(frame[name])


def _log(number: Vector) -> Vector:
    return np.asarray(np.log(np.maximum(number, SMALLEST)))


def _silence(frame: Frame, days: float) -> Vector:
    return np.asarray(np.log1p(frame["silence_days"] / days))


def _orders(frame: Frame) -> Vector:
    return np.asarray(np.log(np.maximum(frame["n_orders"], 1.0)))


def _rate(frame: Frame, days: float) -> Vector:
    """The log of orders per horizon so far, half an order and one horizon away from 0 and infinity."""
    return _log((frame["n_orders"] - 0.5) * days / (frame["age_days"] + days))


def _per_day(amount: Vector, frame: Frame, least_days: float) -> Vector:
    return np.asarray(amount / np.maximum(frame["age_days"], least_days))


_MADE: Mapping[str, Column] = {
    "silence_days|horizon": _silence,
    "silence_days|age": lambda f, _: f["silence_days"] / np.maximum(f["age_days"], 1.0),
    "silence_days|longest": lambda f, _: np.log1p(f["silence_days"] / f["gap_longest_days"]),
    "silence_over_gap|log": lambda f, _: np.log1p(f["silence_over_gap"]),
    "n_orders|rate": _rate,
    "gap_mean_days|horizon": lambda f, days: np.log1p(f["gap_mean_days"] / days),
    "gap_sd_days|mean": lambda f, _: f["gap_sd_days"] / f["gap_mean_days"],
    "gap_last_days|mean": lambda f, _: f["gap_last_days"] / f["gap_mean_days"],
    "order_value_sd|mean": lambda f, _: f["order_value_sd"] / np.maximum(f["order_value_mean"], SMALLEST),
    "tenure_days|age": lambda f, _: np.log1p(np.maximum(f["tenure_days"], 0.0) / np.maximum(f["age_days"], 1.0)),
    **{f"{name}|log": _logarithm(name) for name in _MONEY},
    "btyd_p_churn|log_odds": lambda f, _: calibration.log_odds(f[btyd.P_CHURN]),
    "btyd_p_alive|log_odds": lambda f, _: calibration.log_odds(f[btyd.P_ALIVE]),
    "btyd_expected_orders|log": lambda f, _: _log(f[btyd.ORDERS]),
    "btyd_order_value|log": lambda f, _: _log(f[btyd.ORDER_VALUE]),
    # of the linear model only
    "n_orders|log": lambda f, _: _orders(f),
    "silence_days|square": lambda f, days: _silence(f, days) ** 2,
    "n_orders|square": lambda f, _: _orders(f) ** 2,
    "silence_days|times_orders": lambda f, days: _silence(f, days) * _orders(f),
    # of plain rules only
    "order_value_mean|rate": lambda f, h: _log1p(_per_day(f["n_repeat_orders"], f, 1.0) * f["order_value_mean"] * h),
    "spend_total|rate": lambda f, h: _log1p(_per_day(f["spend_total"], f, MONTH_DAYS) * h),
}
_LINEAR = (
    "silence_days|horizon",
    "n_orders|log",
    "n_orders|rate",
    "silence_days|age",
    "silence_days|square",
    "n_orders|square",
    "silence_days|times_orders",
    "order_value_mean|log",
)
_NOT_OF_TREES = frozenset(
    (
        "n_orders|log",
        "silence_days|square",
        "n_orders|square",
        "silence_days|times_orders",
        "order_value_mean|rate",
        "spend_total|rate",
    )
)
