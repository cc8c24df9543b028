"""Calmer tiers: what enter and exit bands around the cuts save in flip-backs, and what they cost in captured value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tiercast.tiers import grid
from tiercast.training.backtest.panel import Panel
from tiercast.training.evaluation import stability
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.evaluation.stability import Tiers


class Band(NamedTuple):
    """How far around the cuts a customer keeps the side they were on: a share of the value cut, a step of risk."""

    value: float
    p_churn: float


NONE = Band(0.0, 0.0)
SWEEP = tuple(Band(value, risk) for value in (0.0, 0.1, 0.2, 0.3) for risk in (0.0, 0.05, 0.1))


class BandRow(NamedTuple):
    """One choice of bands. Shares in [0, 1], flip-backs and captured value with their 95 % interval."""

    value_band: float
    p_churn_band: float
    flip_back: Metric
    moved: float
    captured: Metric
    crowd: float


def sweep(panel: Panel, draws: int, seed: int, choices: Sequence[Band] = SWEEP) -> list[BandRow]:
    """Every choice beside the raw tiers, which are the first row: no band at all.

    The bands that the cuts themselves carry join where they are none of the choices.
    """
    own = Band(panel.cuts[-1].value_band, panel.cuts[-1].p_churn_band)
    wanted = sorted({NONE, own, *choices})
    return [_row(band, held(panel, band), panel, draws, seed) for band in wanted]


def held(panel: Panel, band: Band) -> Tiers:
    """The tiers of every date but the first, where each scoring has the tiers of the scoring before it."""
    out = panel.tiers.copy()
    for at in range(1, out.shape[1]):
        cuts = panel.cuts[at]._replace(value_band=band.value, p_churn_band=band.p_churn)
        out[:, at] = grid.hold(panel.tiers[:, at], out[:, at - 1], panel.p_churn[:, at], panel.value[:, at], cuts)
    return out


def _row(band: Band, tiers: Tiers, panel: Panel, draws: int, seed: int) -> BandRow:
    return BandRow(
        band.value,
        band.p_churn,
        stability.flip_back(tiers).metric(draws, seed),
        stability.moved(tiers).value,
        stability.captured(tiers, panel.actual).metric(draws, seed),
        stability.crowd(tiers, panel.actual).value,
    )
