"""What was usual on the training day: medians that reasons compare with, quantiles that drift is measured against."""

from __future__ import annotations

import numpy as np

from training.snapshots import Snapshot

QUANTILES = np.linspace(0.0, 1.0, 21)
TYPICAL = ("order_value_mean", "order_value_last", "spend_total", "quantity_per_order")


def typical(now: Snapshot) -> dict[str, float]:
    """The median of money features over all buyers."""
    return {name: float(now.features[name].median()) for name in TYPICAL if name in now.features}


def quantiles(now: Snapshot) -> dict[str, list[float]]:
    """Twenty equal-count bins per feature (21 edges) over buyers who have it."""
    out = {}
    for name in now.features.columns:
        column = now.features[name].to_numpy()
        known = column[np.isfinite(column)]
        if len(known):
            out[str(name)] = [float(q) for q in np.quantile(known, QUANTILES)]
    return out
