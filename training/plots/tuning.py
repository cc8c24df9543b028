"""How a search went: every trial's gain over the defaults, and the best so far."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.training.plots import style


def history(searches: Mapping[str, tuple[Vector, NDArray[np.bool_]]]) -> Figure:
    """One panel per model: (gain of each trial in their order, which were cut short). 0.01 is one percent."""
    drawn, axes = style.figure(
        "Did the search find better trees?",
        "Gain over the defaults on the windows searched on. Each dot is a trial, faint ones were cut short, "
        "the line is the best so far. Whether it holds on a window not searched on is asked afterwards.",
        panels=len(searches),
        width=4.6 * max(len(searches), 1) + 0.6,
    )
    for ax, (name, (gains, is_pruned)) in zip(axes, searches.items(), strict=True):
        at = np.arange(1, len(gains) + 1)
        best = np.maximum.accumulate(np.maximum(np.where(is_pruned, 0.0, gains), 0.0))
        ax.axhline(0, color=style.QUIET, linewidth=1)
        ax.scatter(at[is_pruned], gains[is_pruned], s=18, color=style.FAINT)
        ax.scatter(at[~is_pruned], gains[~is_pruned], s=22, color=style.MODEL)
        ax.step(at, best, where="post", color=style.ACTUAL, linewidth=1.6)
        lowest = float(np.quantile(gains, 0.1))  # a few trials are hopeless: they need not squeeze the others
        ax.set_ylim(min(lowest, 0.0) * 1.3 - 1e-4, max(float(best[-1]), 0.0) * 1.3 + 1e-4)
        style.shares(ax, "y", decimals=1)
        style.label(ax, "trial", "gain over the defaults" if ax is axes[0] else "", name)
    return drawn
