"""Pictures of several trainings in one: each has a colour and a mark of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import level, outcomes, probability, ranking
from tiercast.training.judge.weekly import Weekly
from tiercast.training.plots import style

Forecasts = Mapping[str, tuple[Vector, Vector]]
"""By the training's name, what it forecast and what happened, one entry per customer in each."""
Item = TypeVar("Item")
FEWEST = 0.01
"""Gain is drawn from this share of the customers on, in steps of it: more points than a page can show help nobody."""


def reliability(found: Forecasts) -> Figure:
    """Stated churn probability against what happened, in ten groups of equal size per training."""
    gaps = {name: probability.ece(outcomes.pair(*pair)) for name, pair in found.items()}
    listed = ", ".join(f"{name} {gap:.3f}" for name, gap in gaps.items())
    drawn, (ax,) = style.figure(
        "Is a stated churn risk what happens?", f"On the dashed line is right. Mean gap: {listed}."
    )
    ax.plot([0, 1], [0, 1], color=style.QUIET, linewidth=1, linestyle="--")
    for (name, pair), colour, mark in _styled(found):
        curve = probability.reliability_curve(outcomes.pair(*pair))
        ax.plot(curve.stated, curve.observed, color=colour, marker=mark, linewidth=1.3, markersize=5.5, label=name)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    _name_all(ax, "upper left")
    style.shares(ax, "x", "y")
    style.label(ax, "stated churn probability", "share that churned")
    return drawn


def gain(found: Forecasts) -> Figure:
    """What share of the churners a contact list of each length finds, per training."""
    drawn, (whole, top) = style.figure(
        "How many churners does a contact list find?",
        "Customers ranked by churn risk, highest first. Dashed: drawn blindly. Right: the same, times chance.",
        panels=2,
        width=9.6,
    )
    whole.plot([0, 1], [0, 1], color=style.QUIET, linewidth=1, linestyle="--")
    top.axhline(1, color=style.QUIET, linewidth=1, linestyle="--")
    share = np.arange(FEWEST, 1 + FEWEST / 2, FEWEST)
    for (name, pair), colour, _ in _styled(found):
        reached = np.interp(share, *ranking.gains_curve(outcomes.pair(*pair)))
        whole.plot(share, reached, color=colour, linewidth=1.8, label=name)
        top.plot(share, reached / share, color=colour, linewidth=1.8)
    _name_all(whole, "lower right")
    style.shares(whole, "x", "y")
    style.shares(top, "x")
    style.label(whole, "share of customers contacted", "share of all churners found", "Gain")
    style.label(top, "share of customers contacted", "churners found, times chance", "Lift")
    return drawn


def deciles(found: Forecasts) -> Figure:
    """Mean realised value (marks) and mean forecast (dashes) in tenths of each training's own ranking."""
    drawn, (ax,) = style.figure(
        "Do the customers forecast to be worth most bring most?",
        "Tenths by each training's own forecast. Marks: mean brought. Short lines: mean forecast.",
        width=8.2,
    )
    at, step = np.arange(1, 11), 0.8 / len(found)
    for place, ((name, pair), colour, mark) in enumerate(_styled(found)):
        tenths = level.deciles(outcomes.pair(*pair))
        middle = at - 0.4 + step * (place + 0.5)
        ax.plot(middle, tenths.actual, mark, color=colour, markersize=6, label=name)
        ax.hlines(tenths.forecast, middle - step * 0.45, middle + step * 0.45, color=colour, linewidth=2)
    ax.set_xticks(at)
    _name_all(ax, "upper right")
    style.label(ax, "tenth of the customers, highest forecast first", "mean value per customer, money")
    return drawn


def weekly(found: Mapping[str, Weekly]) -> Figure:
    """Orders per week as they happened, and as each training's closed form expected them."""
    drawn, (ax,) = style.figure(
        "Does the forecast keep up with what happened?",
        "Repeat orders per week, all customers together. Dashed: expected by BG/NBD. Upright: forecast from here.",
        width=9.6,
    )
    first = next(iter(found.values()))
    ax.plot(first.weeks, first.actual, color=style.QUIET, linewidth=1.8, label="happened")
    for (name, tracked), colour, _ in _styled(found):
        ax.plot(tracked.weeks, tracked.expected, color=colour, linewidth=1.8, linestyle=(0, (5, 1.5)), label=name)
        ax.axvline(tracked.as_of_week, color=colour, linewidth=1)
    ax.set_ylim(bottom=0)
    _name_all(ax, "upper right")
    style.label(ax, "week", "orders per week")
    return drawn


def migration(counts: Mapping[tuple[str, str], int], letters: Sequence[str], names: tuple[str, str]) -> Figure:
    """How many customers each pair of tiers has: before from top to bottom, after from left to right.

    The darker, the larger the part of the row; those who stay are framed.
    """
    table = np.array([[counts.get((before, after), 0) for after in letters] for before in letters], dtype=np.float64)
    part = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    drawn, (ax,) = style.figure(
        "Who changes tier?",
        f"Rows: the tier {names[0]} gives. Columns: the tier {names[1]} gives. On the diagonal nothing changes.",
        width=6.4,
        height=1.6 + 0.6 * len(letters),
    )
    ax.imshow(part, cmap="Blues", vmin=0, vmax=2.2, aspect="auto")
    for (row, column), n in np.ndenumerate(table):
        words = f"{n:,.0f}\n{part[row, column]:.0%}" if n else "–"
        ax.text(column, row, words, ha="center", va="center", fontsize=9, color=style.INK)
    ax.set_xticks(range(len(letters)), list(letters))
    ax.set_yticks(range(len(letters)), list(letters))
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    style.label(ax, f"tier by {names[1]}", f"tier by {names[0]}")
    return drawn


def _styled(found: Mapping[str, Item]) -> list[tuple[tuple[str, Item], str, str]]:
    """Each training with a colour and a mark of its own, over again where there are more than colours."""
    return [
        (named, style.CYCLE[place % len(style.CYCLE)], style.MARKERS[place % len(style.MARKERS)])
        for place, named in enumerate(found.items())
    ]


def _name_all(ax: Axes, where: Literal["upper left", "upper right", "lower right"]) -> None:
    ax.legend(loc=where, frameon=False, fontsize=9)
