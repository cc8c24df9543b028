"""Pictures of the 80 % prediction intervals: do they hold what they promise, for each tier?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from tiercast.contract.scores import INTERVAL_COVERAGE
from tiercast.training.evaluation import probability
from tiercast.training.evaluation.scorecard import Coverage
from tiercast.training.plots import style


def coverage(overall: Coverage, by_tier: Mapping[str, Coverage]) -> Figure:
    """The share of outcomes inside their interval, over all customers and per tier, with 95 % intervals."""
    groups = {"all": overall, **{tier: by_tier[tier] for tier in sorted(by_tier) if by_tier[tier].n_customers}}
    drawn, (ax,) = style.figure(
        "Do the value intervals hold what they promise?",
        f"Share of customers whose realised value was inside the {INTERVAL_COVERAGE:.0%} interval. Dashed: promised.",
    )
    at, held = np.arange(len(groups)), np.array([group.coverage for group in groups.values()])
    n = np.array([float(group.n_customers) for group in groups.values()])
    ax.axhline(INTERVAL_COVERAGE, color=style.QUIET, linewidth=1, linestyle="--")
    low, high = probability.wilson(held, n)
    ax.vlines(at, low, high, color=style.MODEL, linewidth=2.2)
    ax.plot(at, held, "o", color=style.MODEL, markersize=7)
    for x, share in zip(at, held, strict=True):
        ax.annotate(f"{share:.0%}", (x, share), (9, 0), textcoords="offset points", va="center", fontsize=8.5)
    ax.set_xticks(at, [f"{name}\n{group.n_customers:,}" for name, group in groups.items()])
    ax.set_ylim(max(0.0, min(0.5, float(low.min()) - 0.05)), 1.02)
    ax.set_xlim(-0.5, len(groups) - 0.4)
    ax.grid(visible=False, axis="x")
    style.shares(ax, "y")
    style.label(ax, "tier on the day the holdout began / customers", "inside the interval")
    return drawn
