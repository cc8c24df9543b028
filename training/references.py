"""What was usual on the training day: medians that reasons compare with, spreads that drift is measured against."""

from __future__ import annotations

import numpy as np

from models import predict, reference
from models.bundle import Bundle
from models.reference import Reference
from training.snapshots import Snapshot

TYPICAL = ("order_value_mean", "order_value_last", "spend_total", "quantity_per_order")
P_CHURN, VALUE = "p_churn", "value"


def typical(now: Snapshot) -> dict[str, float]:
    """The median of money features over all buyers."""
    return {name: float(now.features[name].median()) for name in TYPICAL if name in now.features}


def spreads(bundle: Bundle, now: Snapshot) -> dict[str, Reference]:
    """Per feature, closed-form column and score, how it is spread over buyers. As many as the bundle would compute."""
    scored = predict.predict(bundle, {name: now.frame[name] for name in bundle.spec.names})
    columns = scored.frame | {P_CHURN: scored.p_churn, VALUE: scored.value}
    return {name: reference.of(np.asarray(column, np.float64)) for name, column in columns.items()}
