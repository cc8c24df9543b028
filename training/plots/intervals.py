"""Pictures of the ranges of value: do both ends hold what they promise, for each tier?"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tiercast.contract.scores import INTERVAL_TAIL
from tiercast.training.evaluation import ranges
from tiercast.training.evaluation.ranges import RangeCard, RangeShares
from tiercast.training.plots import style

TITLES = {
    "above": "above the top, of those with a top",
    "below": "below the floor, of those with a floor",
    "despite": "more than nothing, of those promised nothing",
}


def outside(card: RangeCard) -> Figure:
    """The three shares outside their range, over all customers and per tier, with 95 % intervals."""
    groups = {"all": card.overall, **{tier: card.by_group[tier] for tier in sorted(card.by_group)}}
    subtitle = f"Share of customers outside what was promised to them. Dashed: {INTERVAL_TAIL:.0%}, when right."
    drawn, axes = style.figure("Do the ranges of value hold what they promise?", subtitle, len(TITLES), width=9.6)
    for ax, (name, title) in zip(axes, TITLES.items(), strict=True):
        _panel(ax, name, title, groups)
    return drawn


def _panel(ax: Axes, name: str, title: str, groups: dict[str, RangeShares]) -> None:
    counts = [getattr(group, f"n_{name}") for group in groups.values()]
    points = [
        ranges.share_with_interval(getattr(group, name), n) for group, n in zip(groups.values(), counts, strict=True)
    ]
    ax.axhline(INTERVAL_TAIL, color=style.QUIET, linewidth=1, linestyle="--")
    ax.vlines(np.arange(len(points)), *zip(*((p.low, p.high) for p in points), strict=True), color=style.MODEL)
    for at, point in enumerate(points):
        if math.isfinite(point.value):
            ax.plot(at, point.value, "o", color=style.MODEL, markersize=6)
            ax.annotate(f"{point.value:.0%}", (at, point.value), (5, 3), textcoords="offset points", fontsize=8)
    ax.set_xticks(range(len(groups)), [f"{group}\n{n:,}" for group, n in zip(groups, counts, strict=True)], fontsize=7)
    highest = max((point.high for point in points if math.isfinite(point.high)), default=0.0)
    ax.set_ylim(0.0, min(1.02, max(2.5 * INTERVAL_TAIL, highest + 0.05)))
    ax.set_xlim(-0.5, len(groups) - 0.4)
    ax.grid(visible=False, axis="x")
    style.shares(ax, "y")
    style.label(ax, "tier / customers asked", title)
