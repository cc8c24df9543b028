"""The picture of a migration: how many customers went from each tier to each tier."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from tiercast.tiers import moves
from tiercast.tiers.moves import Matrix
from tiercast.training.plots import style

_SHADES = {
    "down": LinearSegmentedColormap.from_list("down", ["#FBF3EE", style.PALE, style.ACTUAL]),
    "up": LinearSegmentedColormap.from_list("up", ["#F4F7FA", "#9CC3E0", style.MODEL]),
}
NAMES = {moves.ABSENT: "not known"}


def migration(found: Matrix, old_as_of: str, new_as_of: str) -> Figure:
    """Counts from each tier (rows) to each tier (columns); falls in orange, rises in blue, stays in grey.

    The shade says which share of a row's customers went there.
    """
    ways = moves.counts(found)
    everybody = sum(ways.values())
    drawn, (ax,) = style.figure(
        "Who moved between tiers?",
        f"{everybody:,} customers, {old_as_of} to {new_as_of}: {ways['down']:,} fell (orange), "
        f"{ways['up']:,} rose (blue), {ways['in']:,} new, {ways['out']:,} gone.",
        width=7.6,
        height=6.0,
    )
    rows = found.customers.sum(axis=1, keepdims=True)
    shares = found.customers / np.maximum(rows, 1)
    for row, old in enumerate(moves.PLACES):
        for column, new in enumerate(moves.PLACES):
            if found.customers[row, column]:
                _cell(ax, (column, row), int(found.customers[row, column]), shares[row, column], old, new)
    _sides(ax)
    return drawn


def _cell(ax: Axes, at: tuple[int, int], n: int, share: float, old: str, new: str) -> None:
    way = moves.direction_of(old, new)
    shades = _SHADES.get(way)
    colour = shades(min(share * 2, 1.0)) if shades else style.FAINT
    ink = "white" if shades and share > 0.35 else style.INK
    ax.fill_between([at[0] - 0.48, at[0] + 0.48], at[1] - 0.48, at[1] + 0.48, color=colour, linewidth=0)
    ax.text(*at, f"{n:,}\n{share:.0%}", ha="center", va="center", fontsize=8.5, color=ink)


def _sides(ax: Axes) -> None:
    names = [NAMES.get(place, place) for place in moves.PLACES]
    n = len(names)
    ax.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5), xticks=range(n), yticks=range(n))
    ax.set_xticklabels(names)
    ax.set_yticklabels(names)
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    style.label(ax, "tier now", "tier before")
