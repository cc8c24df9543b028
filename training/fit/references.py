"""What was usual on the training day: medians that reasons compare with, spreads that drift is measured against."""

from __future__ import annotations

import numpy as np

from tiercast.models import predict, reference
from tiercast.models.bundle import Bundle
from tiercast.models.reference import Reference
from tiercast.training.windows.snapshots import Snapshot

TYPICAL = ("order_value_mean", "order_value_last", "spend_total", "quantity_per_order")
P_CHURN, VALUE = "p_churn", "value"
RISK_WIDTH, VALUE_WIDTH = 0.05, 0.5
"""The narrowest bins of the scores: five points of risk, half of the mean value."""


def typical(now: Snapshot) -> dict[str, float]:
    """The median of money features over all buyers."""
    return {name: float(now.features[name].median()) for name in TYPICAL if name in now.features}


def spreads(bundle: Bundle, now: Snapshot) -> dict[str, Reference]:
    """Per feature and score, how it is spread over buyers.

    Many customers who ordered once and long ago have nearly the same risk and little value. In bins of equal count they
    would all change bins when those move by a hundredth, and a base that ages would look like another base.
    """
    given = now.columns(bundle.spec.names)
    scored = predict.predict(bundle, given)
    features = {name: reference.from_column(column) for name, column in given.items()}
    scores = {
        P_CHURN: reference.from_column(scored.p_churn, RISK_WIDTH),
        VALUE: reference.from_column(scored.value, VALUE_WIDTH * float(np.mean(scored.value))),
    }
    return features | scores
