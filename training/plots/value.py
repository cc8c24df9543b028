"""Pictures of a value model and of the level of a forecast: by decile, by week, by how often people bought."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import level, outcomes, ranking
from tiercast.training.plots import style


def value_lift(forecast: Vector, actual: Vector) -> Figure:
    """Mean forecast and mean realised value in tenths of the customers, highest forecasts first; money."""
    pairs = outcomes.pair(forecast, actual)
    tenths = level.deciles(pairs)
    drawn, (ax,) = style.figure(
        "Do the customers forecast to be worth most bring most?",
        f"Tenths by forecast. Normalised Gini {ranking.ngini(pairs):.3f}, total off by {level.bias(pairs):+.1%}; "
        f"the top tenth brought {ranking.captured_top10(pairs):.0%} of all value.",
    )
    at = np.arange(1, 11)
    ax.bar(at, tenths.actual, width=0.66, color=style.PALE)
    ax.hlines(tenths.forecast, at - 0.4, at + 0.4, color=style.MODEL, linewidth=2.6)
    for x, height, above in zip(at, tenths.actual, np.maximum(tenths.actual, tenths.forecast), strict=True):
        ax.annotate(style.short(height), (x, above), (0, 7), textcoords="offset points", ha="center", fontsize=8.5)
    _name_series(ax)
    ax.set_xticks(at)
    ax.grid(visible=False, axis="x")
    ax.margins(y=0.12)
    style.label(ax, "tenth of the customers, highest forecast first", "mean value per customer, money")
    return drawn


def tracking(weeks: Vector, actual: Vector, expected: Vector, as_of_week: float | None = None) -> Figure:
    """Orders (or money) per week and added up, as they happened and as expected.

    weeks: week number, one entry per week; `as_of_week`: where knowledge ended and forecasting began.
    """
    off = expected.sum() / actual.sum() - 1 if actual.sum() else float("nan")
    drawn, (weekly, total) = style.figure(
        "Does the forecast keep up with what happened?",
        f"All customers together; over the {len(weeks)} weeks shown the forecast is off by {off:+.1%}.",
        panels=2,
        width=9.6,
    )
    _two_lines(weekly, weeks, actual, expected, as_of_week)
    style.label(weekly, "week", "per week", "Week by week")
    _two_lines(total, weeks, np.cumsum(actual), np.cumsum(expected), as_of_week)
    style.label(total, "week", "added up", "Added up")
    return drawn


def frequency_bins(table: pd.DataFrame) -> Figure:
    """Mean outcome and forecasts by how often customers had bought again; the table of `frequency_table`."""
    drawn, (ax,) = style.figure(
        "Is the forecast right for one-time buyers and for regulars?",
        "Mean per customer in the holdout, by the number of repeat orders known before; below, how many customers.",
        width=8.2,
    )
    at = np.arange(len(table))
    ax.bar(at, table["actual"], width=0.66, color=style.PALE)
    names = [name for name in table.columns if name not in ("n_customers", "actual")]
    lines = zip(names, style.CYCLE, style.MARKERS, strict=False)
    ends = [(float(table["actual"].iloc[-1]), "happened", style.ACTUAL)]
    for name, colour, marker in lines:
        ax.plot(at, table[name], marker=marker, color=colour, linewidth=1.4, markersize=5.5)
        ends.append((float(table[name].iloc[-1]), name, colour))
    ax.set_xticks(at, [f"{bin_}\n{n:,}" for bin_, n in zip(table.index, table["n_customers"], strict=True)])
    ax.set_ylim(bottom=0)
    ax.grid(visible=False, axis="x")
    style.name_ends(ax, len(table) - 0.62, ends)
    style.label(ax, "repeat orders before as_of / customers", "mean in the holdout, per customer")
    return drawn


def _name_series(ax: Axes) -> None:
    """Below the falling staircase of a ranking the upper right corner is always free."""
    for height, name, colour in (
        (0.94, "line: mean forecast", style.MODEL),
        (0.88, "bars, numbers: mean brought", style.ACTUAL),
    ):
        ax.text(0.98, height, name, transform=ax.transAxes, ha="right", fontsize=9.5, color=colour)


def _two_lines(ax: Axes, weeks: Vector, actual: Vector, expected: Vector, as_of_week: float | None) -> None:
    ax.plot(weeks, actual, color=style.ACTUAL, linewidth=1.8)
    ax.plot(weeks, expected, color=style.MODEL, linewidth=1.8, linestyle=(0, (5, 1.5)))
    ax.set_ylim(bottom=0)
    style.name_ends(ax, weeks[-1], [(actual[-1], "happened", style.ACTUAL), (expected[-1], "expected", style.MODEL)])
    if as_of_week is not None:
        ax.axvline(as_of_week, color=style.QUIET, linewidth=1)
        ax.annotate("forecast from here", (as_of_week, 0.02), (4, 0), xycoords=("data", "axes fraction"),
                    textcoords="offset points", fontsize=8.5, color=style.DIM)  # fmt: skip
