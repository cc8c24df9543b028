"""All numbers of a score for the customers of a frame. Batch, online, holdout and Spark scoring call `predict`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.models import agreement, btyd, churn, factors, intervals, value
from tiercast.models.bundle import Bundle
from tiercast.models.factors import Factors
from tiercast.models.frame import Frame
from tiercast.models.intervals import Certainty
from tiercast.tiers import grid


class Predictions(NamedTuple):
    """One entry per customer; NaN for prospects, whose tier is F. `frame` carries the `btyd_` columns too.

    `contributions` are those of `churn.explain` by group, where they were requested.
    """

    frame: dict[str, Vector]
    p_churn: Vector
    value: Vector
    clv: Vector
    factors: Factors
    tiers: NDArray[np.str_]
    certainty: Certainty
    disagreement: NDArray[np.bool_]
    contributions: Mapping[str, Vector] | None


def predict(bundle: Bundle, frame: Frame, group_of: Callable[[str], str | None] | None = None) -> Predictions:
    """Closed forms, churn, value, tier and certainty for a frame with the columns of `bundle.spec.names`.

    With `group_of`, the contributions to churn too, summed by group.
    """
    about = bundle.about
    full = with_views(bundle, frame)
    is_prospect = ~(full["n_orders"] > 0)
    risk, contributions = _churn(bundle, full, group_of)
    p_churn = np.where(is_prospect, np.nan, risk)
    money = np.where(is_prospect, np.nan, value.value(bundle.value, full))
    clv = btyd.discounted(bundle.btyd, full, about.value_days, about.monthly_rate)
    parts = factors.factors(bundle.btyd, full, p_churn, money, about.value_days)
    tiers = grid.assign(p_churn, money, full["silence_days"], full["n_orders"], bundle.cuts)
    sure = intervals.certainty(bundle.intervals, money, p_churn, parts.p_order, tiers, bundle.cuts)
    closed = full[btyd.P_CHURN], full[btyd.VALUE]
    differ = agreement.disagreement(p_churn, closed[0], money, closed[1], bundle.cuts.value)
    return Predictions(full, p_churn, money, clv, parts, tiers, sure, differ, contributions)


def _churn(
    bundle: Bundle, frame: Frame, group_of: Callable[[str], str | None] | None
) -> tuple[Vector, Mapping[str, Vector] | None]:
    if group_of is None:
        return churn.p_churn(bundle.churn, frame), None
    return churn.explain(bundle.churn, frame, bundle.line, group_of)


def graded(bundle: Bundle, p: Predictions, tiers: NDArray[np.str_]) -> Predictions:
    """The same predictions with other tiers, held or set by hand, and the certainty that goes with them."""
    sure = intervals.certainty(bundle.intervals, p.value, p.p_churn, p.factors.p_order, tiers, bundle.cuts)
    return p._replace(tiers=tiers, certainty=sure)


def with_views(bundle: Bundle, frame: Frame) -> dict[str, Vector]:
    """The frame with the closed-form columns beside the features."""
    return {**frame, **btyd.views(bundle.btyd, frame, bundle.about.churn_days, bundle.about.value_days)}
