"""The picture of drift: one bar per number, beside what chance allows and the marks of a watch."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from tiercast.training.monitoring import drift
from tiercast.training.monitoring.drift import Drift
from tiercast.training.plots import style

MOST = 30
FARTHEST = 0.6
"""Longer bars are cut and say how long they are: whatever is beyond an alarm, the others must stay to be read."""
COLOURS = {"alarm": style.ACTUAL, "notice": "#E69F00", "quiet": style.MODEL, "unknown": style.FAINT}


def bars(rows: Sequence[Drift], since: str, as_of: str) -> Figure:
    """The population stability index of the numbers that drifted most, the largest on top.

    A short upright line is what chance allows for that number; clocks, which time moves, are hollow.
    """
    known = [row for row in rows if row.psi is not None]
    shown = known[:MOST]
    drawn, (ax,) = style.figure(
        "Do today's customers look like those of the training day?",
        f"Population stability index, {since} to {as_of}, {len(shown)} largest of {len(known)}. Dotted: notice at "
        f"{drift.NOTICE:g}, alarm at {drift.ALARM:g}. Hollow bars: clocks, which the calendar moves.",
        height=1.6 + 0.24 * max(len(shown), 4),
    )
    for at, row in enumerate(shown):
        colour = COLOURS[row.level]
        face = "none" if row.is_clock else colour
        ax.barh(at, row.psi or 0.0, height=0.7, facecolor=face, edgecolor=colour, linewidth=1.2)
        ax.vlines(row.limit, at - 0.4, at + 0.4, color=style.INK, linewidth=1)
        if (row.psi or 0.0) > FARTHEST:
            ax.annotate(
                f"{row.psi:.1f} →",
                (FARTHEST, at),
                (-4, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=8,
            )
    for mark in (drift.NOTICE, drift.ALARM):
        ax.axvline(mark, color=style.QUIET, linewidth=1, linestyle=":")
    ax.set_yticks(range(len(shown)), [row.name for row in shown])
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.set_xlim(0, min(max([row.psi or 0.0 for row in shown] + [1.2 * drift.ALARM]), FARTHEST))
    ax.grid(visible=False, axis="y")
    style.label(ax, "population stability index")
    return drawn
