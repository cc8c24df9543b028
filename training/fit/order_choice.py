"""Which order model, where the settings leave it open: asked of earlier windows, never of the one that judges.

The closed form serves twice, as the churn model's starting point and as the value's. So a model is scored on both: the
log loss of "no order in the churn horizon", and the Poisson deviance of the number of orders in the value horizon, each
as a gain relative to BG/NBD's and averaged over windows. Both are proper scores: the truth minimises them, and neither
forecasting nothing nor forecasting alike for all is rewarded.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from tiercast.contract import errors
from tiercast.contract.vectors import Vector
from tiercast.models import btyd, orders
from tiercast.training.evaluation import outcomes, probability
from tiercast.training.settings import Settings
from tiercast.training.windows import schedule
from tiercast.training.windows.snapshots import Snapshot, Snapshots

DEFAULT, AUTO = "bgnbd", "auto"
CLEARLY_BETTER = 0.01
MOST_WINDOWS = 3


class OrderChoice(NamedTuple):
    """The model taken; per model its mean gain over BG/NBD (0.01 is one percent), empty where nothing was chosen."""

    model: str
    gain: Mapping[str, float]
    n_windows: int

    @property
    def note(self) -> str | None:
        """For the run's notes; None where the settings name the model."""
        if not self.gain:
            return None
        found = ", ".join(f"{orders.TITLES[name]} {gain:+.1%}" for name, gain in self.gain.items() if name != DEFAULT)
        return f"Order model: {orders.TITLES[self.model]}, on {self.n_windows} earlier window(s); over BG/NBD {found}."


def settle(snapshots: Snapshots, known_until: dt.date, settings: Settings) -> OrderChoice:
    """The model that the settings name, or for `auto` the one that earlier windows ask for.

    BG/NBD stays unless another gains at least one percent: a smaller gain on three windows is luck. It also stays where
    no window has closed. A model that cannot be fitted on every window that BG/NBD can is no candidate.
    """
    if settings.clv.model != AUTO:
        return OrderChoice(settings.clv.model, {}, 0)
    losses = {name: _losses(snapshots.by(name), known_until, settings) for name in orders.TITLES}
    n_windows = len(losses[DEFAULT])
    candidates = {name: found for name, found in losses.items() if len(found) == n_windows}
    return choose(candidates) if n_windows else OrderChoice(DEFAULT, {}, 0)


def choose(losses: Mapping[str, Sequence[float]]) -> OrderChoice:
    """The model with the largest mean gain; `losses` holds one number per window and question, lower is better.

    >>> choose({"bgnbd": [0.5, 2.0], "mbgnbd": [0.49, 1.9], "paretonbd": [0.5, 2.1]}).model
    'mbgnbd'
    """
    before = np.array(losses[DEFAULT])
    gain = {name: float(np.mean(1.0 - np.array(found) / before)) for name, found in losses.items()}
    best = max(gain, key=lambda name: gain[name])
    return OrderChoice(best if gain[best] >= CLEARLY_BETTER else DEFAULT, gain, len(before))


def _losses(snapshots: Snapshots, known_until: dt.date, settings: Settings) -> list[float]:
    """Churn's loss on its newest closed windows, then the orders' on theirs; pauses of the shop are left out."""
    churn, value = (
        _fitted(snapshots, schedule.plan(snapshots.first_on, known_until, days, MOST_WINDOWS))
        for days in settings.horizons.both
    )
    left = [(s, s.churned) for s in churn if s.churned is not None and not s.churned.all()]
    silent = [(s.features[btyd.P_CHURN].to_numpy(), churned) for s, churned in left]
    told = [(s, s.n_future_orders) for s in value if s.n_future_orders is not None and s.n_future_orders.any()]
    busy = [(s.features[btyd.ORDERS].to_numpy(), n_orders) for s, n_orders in told]
    surprises = [probability.log_loss(outcomes.pair(p, churned)) for p, churned in silent]
    return surprises + [poisson_deviance(expected, actual) for expected, actual in busy]


def _fitted(snapshots: Snapshots, dates: Sequence[dt.date]) -> list[Snapshot]:
    """The snapshots of the dates on which the model could be fitted."""
    found = []
    for day in dates:
        with contextlib.suppress(errors.FitFailed):
            found += snapshots.all_at([day])
    return found


def poisson_deviance(expected: Vector, actual: Vector) -> float:
    """Mean of 2 (n log(n / e) - (n - e)) per customer: 0 where every forecast is exact.

    >>> round(poisson_deviance(np.array([1.0, 2.0]), np.array([0.0, 2.0])), 6)
    1.0
    """
    e = np.maximum(expected, 1e-9)
    return float(np.mean(2.0 * (xlogy(actual, actual / e) - (actual - e))))
