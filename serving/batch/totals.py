"""The grid's totals, added up over the parts of a base: `score` and the demo show them at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute

from tiercast.tiers import grid
from tiercast.tiers.grid import TIERS, TierSummary


class Totals(NamedTuple):
    """Totals per tier: customers, value, p_churn, value at risk, disagreements; and the number of borderline ones."""

    by_tier: Mapping[str, tuple[float, ...]]
    n_borderline: int

    @property
    def n_customers(self) -> int:
        return int(sum(row[0] for row in self.by_tier.values()))

    def rows(self) -> list[TierSummary]:
        """The grid's six rows; None where a tier has no such number."""
        return [self._row(tier) for tier in TIERS]

    def disagreement(self) -> dict[str, float]:
        """Share of customers on whom trained models and closed form differ, in [0, 1], per tier that is not empty."""
        return {tier: row[4] / row[0] for tier, row in self.by_tier.items() if row[0] and tier != "F"}

    def _row(self, tier: str) -> TierSummary:
        n, value, p_churn, at_risk, _ = self.by_tier.get(tier, ZEROS)
        share = n / self.n_customers if self.n_customers else 0.0
        if not n or tier == "F":
            return TierSummary(tier, int(n), share, None, None, None, None)
        return TierSummary(tier, int(n), share, value, value / n, p_churn / n, at_risk)


ZEROS = (0.0, 0.0, 0.0, 0.0, 0.0)
EMPTY = Totals({}, 0)


def merge(first: Totals, second: Totals) -> Totals:
    """The totals of two bases without a customer in common."""
    tiers = {**first.by_tier, **second.by_tier}
    by_tier = {
        tier: tuple(np.add(first.by_tier.get(tier, ZEROS), second.by_tier.get(tier, ZEROS)).tolist()) for tier in tiers
    }
    return Totals(by_tier, first.n_borderline + second.n_borderline)


def add(totals: Totals, scores: pa.Table) -> Totals:
    """The totals with one more part of a score table."""
    value, p_churn = (scores[name].to_numpy(zero_copy_only=False) for name in ("value", "p_churn"))
    tiers = scores["tier"].to_numpy(zero_copy_only=False).astype("<U1")
    differ = compute.fill_null(scores["disagreement"], fill_value=False).to_numpy()
    by_tier = dict(totals.by_tier)
    for row in grid.summarise(tiers, value, p_churn):
        added = (
            row.customers,
            row.value_total or 0.0,
            (row.p_churn_mean or 0.0) * row.customers,
            row.value_at_risk or 0.0,
            float(differ[tiers == row.tier].sum()),
        )
        by_tier[row.tier] = tuple(np.add(by_tier.get(row.tier, ZEROS), added))
    borderline = int(compute.sum(scores["is_borderline"]).as_py() or 0)
    return Totals(by_tier, totals.n_borderline + borderline)
