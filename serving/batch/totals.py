"""The grid's sums over parts of a base: what `score` and the demo show at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute

from tiercast.tiers import grid
from tiercast.tiers.grid import TIERS, TierRow

Sums = Mapping[str, tuple[float, ...]]


class Totals(NamedTuple):
    """Per tier: customers, value, p_churn, value at risk and disagreements, all summed; and how many are borderline."""

    sums: Sums
    n_borderline: int

    @property
    def n_customers(self) -> int:
        return int(sum(row[0] for row in self.sums.values()))

    def rows(self) -> list[TierRow]:
        """The grid's six rows; None where a tier has no such number."""
        return [self._row(tier) for tier in TIERS]

    def disagreement(self) -> dict[str, float]:
        """Per tier with somebody in it, the share of customers on whom trained models and closed form differ."""
        return {tier: row[4] / row[0] for tier, row in self.sums.items() if row[0] and tier != "F"}

    def _row(self, tier: str) -> TierRow:
        n, value, p_churn, at_risk, _ = self.sums.get(tier, NOBODY)
        share = n / self.n_customers if self.n_customers else 0.0
        if not n or tier == "F":
            return TierRow(tier, int(n), share, None, None, None, None)
        return TierRow(tier, int(n), share, value, value / n, p_churn / n, at_risk)


NOBODY = (0.0, 0.0, 0.0, 0.0, 0.0)
NOTHING = Totals({}, 0)


def together(some: Totals, others: Totals) -> Totals:
    """The totals of two bases without a customer in common."""
    tiers = {**some.sums, **others.sums}
    sums = {tier: tuple(np.add(some.sums.get(tier, NOBODY), others.sums.get(tier, NOBODY)).tolist()) for tier in tiers}
    return Totals(sums, some.n_borderline + others.n_borderline)


def add(totals: Totals, scores: pa.Table) -> Totals:
    """The totals with one more part of a score table."""
    value, p_churn = (scores[name].to_numpy(zero_copy_only=False) for name in ("value", "p_churn"))
    tiers = scores["tier"].to_numpy(zero_copy_only=False).astype("<U1")
    differ = compute.fill_null(scores["disagreement"], fill_value=False).to_numpy()
    sums = dict(totals.sums)
    for row in grid.summarise(tiers, value, p_churn):
        new = (
            row.customers,
            row.value_total or 0.0,
            (row.p_churn_mean or 0.0) * row.customers,
            row.value_at_risk or 0.0,
            float(differ[tiers == row.tier].sum()),
        )
        sums[row.tier] = tuple(np.add(sums.get(row.tier, NOBODY), new))
    borderline = int(compute.sum(scores["is_borderline"]).as_py() or 0)
    return Totals(sums, totals.n_borderline + borderline)
