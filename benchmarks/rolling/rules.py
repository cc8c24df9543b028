"""What anybody could forecast on the day: the closed form of the textbook, and rules without a model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.models import calibration, gamma_gamma
from tiercast.models import orders as order_models
from tiercast.training.btyd import families, fit_gamma_gamma, fit_orders
from tiercast.training.fit import platt
from tiercast.training.judge import baselines
from tiercast.training.settings import Horizons
from tiercast.training.windows.snapshots import Snapshot

CLOSED_FORM = "closed form"


class Rules(NamedTuple):
    """Forecasts by name of rule: probabilities of churn, and money of the value horizon."""

    churn: dict[str, Vector]
    value: dict[str, Vector]


class _ClosedForm(NamedTuple):
    p_churn: Vector
    value: Vector


def forecast(now: Snapshot, churn_window: Snapshot, value_window: Snapshot | None, horizons: Horizons) -> Rules:
    """Every rule for the customers of `now`; what a rule has to learn, it learns on the newest closed window."""
    closed = _closed_form(now, horizons)
    return Rules(
        _churn(now, churn_window, closed, horizons), _value(now, value_window or churn_window, closed, horizons)
    )


def _churn(now: Snapshot, earlier: Snapshot, closed: _ClosedForm, horizons: Horizons) -> dict[str, Vector]:
    if earlier.churned is None:
        raise ValueError("the rules need a closed churn window")
    then = _closed_form(earlier, horizons)
    line = platt.fit(calibration.log_odds(then.p_churn), earlier.churned)
    learned = baselines.Cohort(earlier.features, earlier.churned)
    plain = baselines.churn_baselines(learned, baselines.Cohort(now.features), horizons.churn_days)
    return {
        CLOSED_FORM: closed.p_churn,
        "closed form + Platt": calibration.calibrated(line, closed.p_churn),
        "recency": plain["recency"],
        "past rate": np.exp(-_rate(now) * horizons.churn_days),
    }


def _value(now: Snapshot, earlier: Snapshot, closed: _ClosedForm, horizons: Horizons) -> dict[str, Vector]:
    days = horizons.value_days
    today = baselines.Cohort(now.features)
    plain = {
        CLOSED_FORM: closed.value,
        "past rate": baselines.naive_rate(today, days),
        "last window": baselines.last_window_spend(today, days),
    }
    if earlier.value is None:
        return plain | {"average spend × retention": baselines.average_spend(today, days)}
    learned = baselines.Cohort(earlier.features, None, earlier.value)
    told = baselines.value_baselines(learned, today, days)
    return plain | {"average spend × retention": told["average_spend"], "recency": told["recency"]}


def _closed_form(then: Snapshot, horizons: Horizons) -> _ClosedForm:
    """BG/NBD, and Gamma-Gamma on repeat orders, fitted on what was known of the snapshot's customers on its day."""
    x, t_x, T, m = (then.features[name].to_numpy() for name in _HISTORY)
    spent = (x > 0) & (np.nan_to_num(m) > 0)
    often = fit_orders.fit(x, t_x, T, families.BY_NAME["bgnbd"]).params
    much = fit_gamma_gamma.fit(x[spent], m[spent]).params
    alive = order_models.p_alive(often, x, t_x, T)
    expected = order_models.expected_orders(often, x, t_x, T, horizons.value_days, alive)
    return _ClosedForm(
        order_models.p_no_order(often, x, t_x, T, horizons.churn_days, alive),
        expected * gamma_gamma.expected_order_value(much, x, np.where(m > 0, m, np.nan)),
    )


_HISTORY = ("n_repeat_orders", "recency_days", "age_days", "repeat_order_value")


def _rate(now: Snapshot) -> Vector:
    features = now.features
    return np.asarray(features["n_repeat_orders"].to_numpy() / np.maximum(features["age_days"].to_numpy(), 1.0))
