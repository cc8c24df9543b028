"""The typical customer at each cut of the grid. Reasons say how a customer differs from them.

Measured from the mean customer, reasons would explain a comparison that nobody makes: where most customers are
inactive, nearly everyone in the grid looks loyal. The letter asks on which side of a cut a customer is. So the parts of
a forecast are compared with those of customers at the cut, and they add up to the distance from it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.models import btyd, calibration, churn, factors, predict
from tiercast.models.bundle import Bundle
from tiercast.models.churn import ChurnModel
from tiercast.models.frame import Frame
from tiercast.training.windows.snapshots import Snapshot

NEAR_SHARE, FEWEST, MOST = 0.1, 100, 1000


def measure(bundle: Bundle, now: Snapshot) -> Bundle:
    """The bundle with what its reasons are measured from."""
    scored = predict.predict(bundle, now.columns(bundle.spec.names))
    orders, money = factors.from_cut(scored.factors, bundle.cuts.value, 1.0)
    per_order = money[_nearest(orders + money)]
    typical = {**bundle.typical, factors.VALUE_PER_ORDER: float(np.exp(per_order.mean()))}
    return bundle._replace(line=churn_line(bundle.churn, scored.frame, bundle.cuts.p_churn), typical=typical)


def churn_line(model: ChurnModel, frame: Frame, cut: float) -> dict[str, float]:
    """What each feature adds to the log-odds of the typical customer whose risk is `cut`.

    Each contribution is regressed on the distance from the cut, over the customers nearest to it, and read off at
    distance 0. Regression is linear, so the numbers add up to the log-odds of the cut, but for the base value of the
    contributions. Where the regression has nothing to go by, the closed form takes the remainder.
    """
    away = churn.log_odds(model, frame) - calibration.log_odds(np.array([cut]))
    near = _nearest(away)
    _, parts = churn.explain(model, {name: column[near] for name, column in frame.items()}, {}, str)
    line = {name: _at_zero(away[near], part) for name, part in parts.items()}
    total = float(np.mean(sum(parts.values()) - away[near]))
    line[btyd.P_CHURN] += total - sum(line.values())
    return line


def _nearest(away: Vector) -> NDArray[np.intp]:
    """The rows nearest to a cut: a tenth of all customers, at least 100 and at most 1,000."""
    known = np.flatnonzero(np.isfinite(away))
    n = min(max(int(NEAR_SHARE * len(known)), FEWEST), MOST)
    return known[np.argsort(np.abs(away[known]), kind="stable")[:n]]


def _at_zero(away: Vector, part: Vector) -> float:
    """The regression line of `part` on `away`, at 0."""
    centred = away - away.mean()
    slope = (centred @ part) / max(centred @ centred, factors.SMALLEST)
    return float(part.mean() - slope * away.mean())
