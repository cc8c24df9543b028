"""Forecasts beside outcomes, per tier, over all dates of a backtest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.tiers import grid
from tiercast.training.backtest import panel
from tiercast.training.backtest.day import Day
from tiercast.training.evaluation import ranges

ALL = "all"
NUMBERS = ("value", "value_low", "value_high", "actual_value", "p_churn", "churned")


class TierRow(NamedTuple):
    """One row per tier. Money is per customer and date; nan where no outcome is known.

    `customers` counts a customer once per date; `value` is expected, `actual_value` realised, `bias` their totals'
    distance; `actual_share` is the tier's part of all realised value; `above` the share that brought more than the
    top of their range, of those with a top, with its 95 % interval.
    """

    tier: str
    customers: int
    share: float
    value: float
    actual_value: float
    bias: float
    actual_share: float
    p_churn: float
    churned: float
    above: float
    above_low: float
    above_high: float


class _Rows(NamedTuple):
    tier: NDArray[np.str_]
    value: Vector
    value_low: Vector
    value_high: Vector
    actual_value: Vector
    p_churn: Vector
    churned: Vector


def by_tier(days: Sequence[Day]) -> list[TierRow]:
    """A row for each tier that occurs, and one for all."""
    table = pa.concat_tables([day.scores for day in days if day.scores is not None])
    rows = _Rows(panel.text(table["tier"]), *(_column(table, name) for name in NUMBERS))
    everybody = np.ones(len(rows.tier), dtype=np.bool_)
    groups = {tier: rows.tier == tier for tier in grid.TIERS} | {ALL: everybody}
    return [_row(name, rows, chosen) for name, chosen in groups.items() if chosen.any()]


def _row(name: str, rows: _Rows, chosen: NDArray[np.bool_]) -> TierRow:
    known = chosen & np.isfinite(rows.actual_value)
    value, actual = rows.value[known], rows.actual_value[known]
    shares = ranges.shares(rows.value_low[known], rows.value_high[known], actual)
    above = ranges.share_with_interval(shares.above, shares.n_above)
    is_labelled = chosen & np.isfinite(rows.churned)
    return TierRow(
        tier=name,
        customers=int(chosen.sum()),
        share=float(chosen.mean()),
        value=_mean(value),
        actual_value=_mean(actual),
        bias=_ratio(float(value.sum()), float(actual.sum())) - 1,
        actual_share=_ratio(float(actual.sum()), float(np.nansum(rows.actual_value))),
        p_churn=_mean(rows.p_churn[is_labelled]),
        churned=_mean(rows.churned[is_labelled]),
        above=above.value,
        above_low=above.low,
        above_high=above.high,
    )


def _column(table: pa.Table, name: str) -> Vector:
    return np.asarray(table[name].cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _mean(numbers: Vector) -> float:
    return float(numbers.mean()) if len(numbers) else float("nan")


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
