"""All numbers of a score for all customers of a frame. Batch, online, holdout and Spark call this one function."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import btyd, churn, intervals, value
from models.bundle import Bundle
from models.frame import Frame
from models.intervals import Certainty
from models.vectors import Vector
from tiers import grid


class Predictions(NamedTuple):
    """One entry per customer; NaN for prospects, whose tier is F. `frame` carries the `btyd_` columns too."""

    frame: dict[str, Vector]
    p_churn: Vector
    value: Vector
    clv: Vector
    tiers: NDArray[np.str_]
    certainty: Certainty


def predict(bundle: Bundle, frame: Frame) -> Predictions:
    """Closed forms, churn, value, tier and certainty for a frame with the columns of `bundle.spec.names`."""
    about = bundle.about
    full = with_views(bundle, frame)
    is_prospect = ~(full["n_orders"] > 0)
    p_churn = np.where(is_prospect, np.nan, churn.p_churn(bundle.churn, full))
    money = np.where(is_prospect, np.nan, value.value(bundle.value, full, p_churn))
    clv = btyd.discounted(bundle.btyd, full, about.value_days, about.monthly_rate)
    tiers = grid.assign(p_churn, money, full["silence_days"], full["n_orders"], bundle.cuts)
    return Predictions(
        full, p_churn, money, clv, tiers, intervals.certainty(bundle.intervals, money, p_churn, tiers, bundle.cuts)
    )


def with_views(bundle: Bundle, frame: Frame) -> dict[str, Vector]:
    """The frame with the closed-form columns beside the features."""
    return {**frame, **btyd.views(bundle.btyd, frame, bundle.about.churn_days, bundle.about.value_days)}
