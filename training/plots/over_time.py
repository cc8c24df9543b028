"""Pictures of a backtest: one metric from date to date, and what calmer tiers cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.plots import style

MOST_TICKS = 8
LEAST_HEIGHT = 0.02
"""Room above and below, so that a difference of no weight does not fill the picture."""


def metric(
    title: str,
    subtitle: str,
    days: Sequence[dt.date],
    ours: Sequence[Metric],
    closed_form: Sequence[Metric | None],
    *,
    target: float | None = None,
    is_share: bool = False,
) -> Figure:
    """A metric on each date with its 95 % interval, the closed form beside it; `target` is where it should be."""
    drawn, (ax,) = style.figure(title, f"{subtitle} Bands: 95% intervals over customers.", width=8.6)
    if target is not None:
        ax.axhline(target, color=style.QUIET, linewidth=1, linestyle="--")
    ends = [_line(ax, days, ours, "Tiercast", style.MODEL, "o")]
    rivals = [(day, point) for day, point in zip(days, closed_form, strict=True) if point is not None]
    if rivals:
        then, points = zip(*rivals, strict=True)
        ends.append(_line(ax, then, points, "closed form", style.DIM, "s"))
    _name_dates(ax, days)
    style.name_ends(ax, float(days[-1].toordinal()), ends)
    if is_share:
        style.shares(ax, "y")
    style.label(ax, "as of")
    return drawn


def bands(
    flip_back: Sequence[Metric], captured: Sequence[Metric], value_band: Sequence[float], risk: Sequence[float]
) -> Figure:
    """Flip-backs against captured value, one point per choice of bands; lines join one value band's choices."""
    drawn, (ax,) = style.figure(
        "How calm can tiers be, and what does it cost?",
        "Further left: fewer tiers that change and change back. Further up: more of the realised value in A and B. "
        "Points along a line: wider bands around the churn cut. Bars: 95% intervals over customers.",
        width=8.6,
    )
    x, y = (np.array([point.value for point in found]) for found in (flip_back, captured))
    for band, colour, marker in zip(sorted(set(value_band)), style.CYCLE, style.MARKERS, strict=False):
        at = np.array([place for place, each in enumerate(value_band) if each == band])
        ax.plot(x[at], y[at], marker=marker, color=colour, linewidth=1.2, markersize=5.5, label=f"value ±{band:.0%}")
        low, high = (np.array([getattr(flip_back[place], end) for place in at]) for end in ("low", "high"))
        ax.hlines(y[at], low, high, color=colour, linewidth=1, alpha=0.5)
    for place in (0, len(x) - 1):
        words = f"±{value_band[place]:.0%}, ±{risk[place]:.2f}" if place else "no bands"
        ax.annotate(words, (x[place], y[place]), (0, 8), textcoords="offset points", fontsize=8.5, color=style.INK)
    ax.legend(frameon=False, fontsize=8.5)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    ax.set_ylim(float(y.min()) - LEAST_HEIGHT, float(y.max()) + LEAST_HEIGHT)
    ax.margins(x=0.1)
    style.label(ax, "flip-backs, of all threes of scorings", "realised value in A and B")
    return drawn


def _line(
    ax: Axes, days: Sequence[dt.date], points: Sequence[Metric], name: str, colour: str, marker: str
) -> tuple[float, str, str]:
    """Draw a series and say where its name belongs."""
    x = np.array([day.toordinal() for day in days], dtype=np.float64)
    value, low, high = (np.array(part, dtype=np.float64) for part in zip(*points, strict=True))
    ax.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    ax.plot(x, value, marker=marker, color=colour, linewidth=1.6, markersize=5)
    return float(value[-1]), name, colour


def _name_dates(ax: Axes, days: Sequence[dt.date]) -> None:
    """A tick on a date that was judged, at most `MOST_TICKS` of them, the last one always."""
    shown = days[:: -max(1, -(-len(days) // MOST_TICKS))]
    ax.set_xticks([day.toordinal() for day in shown], [day.isoformat() for day in shown])
