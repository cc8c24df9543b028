"""The picture of the whole base: tiers A to D on the loyalty by value plane, E and F beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tiercast.training.plots import style

_SHADES = LinearSegmentedColormap.from_list("value", ["#F4F7FA", "#9CC3E0", style.MODEL])


class Cell(NamedTuple):
    """Where a tier lies in the picture (corner, width, height) and what it means."""

    x: float
    y: float
    width: float
    height: float
    meaning: str


CELLS: Mapping[str, Cell] = {
    "A": Cell(1.0, 1.0, 1.0, 1.0, "top: keep"),
    "B": Cell(1.0, 0.0, 1.0, 1.0, "large, slipping: save"),
    "C": Cell(0.0, 1.0, 1.0, 1.0, "faithful, small: grow"),
    "D": Cell(0.0, 0.0, 1.0, 1.0, "small: serve cheaply"),
    "E": Cell(2.12, 1.0, 0.72, 1.0, "inactive"),
    "F": Cell(2.12, 0.0, 0.72, 1.0, "prospect"),
}


def grid(counts: Mapping[str, int], values: Mapping[str, float], currency: str = "") -> Figure:
    """How many customers each tier has and how much of the expected value; the darker, the more value.

    counts: customers per tier; values: expected value per tier summed over its customers, money. Tiers
    may be missing; one without a value (prospects) shows only its customers.
    """
    everybody, money = max(sum(counts.values()), 1), sum(values.values())
    drawn, (ax,) = style.figure(
        "Who is in which tier, and where does the value lie?",
        f"{everybody:,} customers, {style.short(money)} {currency}".rstrip() + " expected; the darker, the more value.",
        width=8.4,
        height=5.0,
    )
    for tier, cell in CELLS.items():
        part = values[tier] / money if money and tier in values else None
        n = counts.get(tier, 0)
        lines = [f"{n:,} customers ({n / everybody:.0%})"]
        if part is not None:
            lines.append(f"{style.short(values[tier])} {currency}".rstrip() + f" ({part:.0%} of value)")
        _draw(ax, tier, cell, lines, part or 0.0)
    _name_sides(ax)
    return drawn


def _draw(ax: Axes, tier: str, cell: Cell, lines: list[str], part: float) -> None:
    red, green, blue, _ = _SHADES(min(part / 0.6, 1.0))
    ink = "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.55 else style.INK
    ax.add_patch(
        Rectangle(
            (cell.x, cell.y), cell.width, cell.height, facecolor=(red, green, blue), edgecolor="white", linewidth=4
        )
    )
    left, top = cell.x + 0.06, cell.y + cell.height
    ax.text(left, top - 0.08, tier, fontsize=26, fontweight="bold", color=ink, va="top")
    ax.text(left, top - 0.42, cell.meaning, fontsize=10, color=ink, va="top")
    ax.text(left, cell.y + 0.09, "\n".join(lines), fontsize=9.5, color=ink, va="bottom", linespacing=1.5)


def _name_sides(ax: Axes) -> None:
    ax.set(xlim=(-0.02, 2.86), ylim=(-0.02, 2.02), xticks=[0.5, 1.5], yticks=[0.5, 1.5])
    ax.set_xticklabels(["low value", "high value"], fontsize=10)
    ax.set_yticklabels(["low loyalty", "high loyalty"], fontsize=10, rotation=90, va="center")
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
