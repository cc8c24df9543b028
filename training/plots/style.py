"""One look for all figures: few lines, direct labels, colours that survive colour blindness and grey print.

Figures are made without pyplot, so drawing in a service or a thread leaves no state behind. Colours are from
Okabe & Ito (2008), "Color universal design".
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import PercentFormatter

MODEL = "#0072B2"
ACTUAL = "#D55E00"
QUIET = "#8A8A8A"
FAINT = "#DDDDDD"
INK = "#222222"
DIM = "#666666"
PALE = "#F2C9AE"
MARKERS = "os^Dvx"
LETTERS_PER_INCH = 14.0
"""How many letters of a subtitle fit into an inch."""
CYCLE = (MODEL, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def figure(
    title: str, subtitle: str, panels: int = 1, width: float = 7.2, height: float = 4.6
) -> tuple[Figure, list[Axes]]:
    """An empty figure whose title says what to read, with its panels from left to right; sizes in inches."""
    lines = textwrap.wrap(subtitle, int(width * LETTERS_PER_INCH))
    top = 0.46 + 0.17 * len(lines)
    layout = ConstrainedLayoutEngine(rect=(0.0, 0.0, 1.0, 1 - top / height), w_pad=0.1, h_pad=0.06)
    drawn = Figure(figsize=(width, height), dpi=120, layout=layout)
    drawn.text(0.1 / width, 1 - 0.1 / height, title, va="top", fontsize=13, fontweight="bold", color=INK)
    drawn.text(0.1 / width, 1 - 0.38 / height, "\n".join(lines), va="top", fontsize=9.5, color=DIM)
    axes = [drawn.add_subplot(1, panels, at + 1) for at in range(panels)]
    for ax in axes:
        _quieten(ax)
    return drawn, axes


def label(ax: Axes, x: str = "", y: str = "", title: str = "") -> None:
    """Name the axes, and the panel where there are several."""
    ax.set_xlabel(x, fontsize=9.5, color=INK)
    ax.set_ylabel(y, fontsize=9.5, color=INK)
    if title:
        ax.set_title(title, fontsize=10.5, loc="left", color=INK)


def shares(ax: Axes, *sides: str, decimals: int = 0) -> None:
    """Show 0.2 as 20% on the named axes, "x" or "y"."""
    for side in sides:
        (ax.xaxis if side == "x" else ax.yaxis).set_major_formatter(PercentFormatter(1.0, decimals=decimals))


def short(number: float) -> str:
    """A number with as many digits as a reader can use.

    >>> [short(x) for x in (0.0, 0.0421, 3.14159, 56.78, 12345.6)]
    ['0', '0.042', '3.14', '56.8', '12,346']
    """
    size = abs(number)
    if size >= 100 or number == 0:
        return f"{number:,.0f}"
    return f"{number:.{1 if size >= 10 else 2 if size >= 1 else 3}f}"


def name_ends(ax: Axes, x: float, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write each line's name at its right end (height, name, colour), pushed apart where they would overlap."""
    low, high = ax.get_ylim()
    room = (high - low) * 0.055
    written = low - room
    for height, name, colour in sorted(ends):
        written = max(height, written + room)
        ax.annotate(
            name, (x, written), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9, color=colour,
            annotation_clip=False,
        )  # fmt: skip


def point_out(ax: Axes, x: float, y: float, words: str = "") -> None:
    """Mark one point, and say above it what it means."""
    ax.plot(x, y, "o", color=ACTUAL, markersize=6.5, zorder=5)
    ax.annotate(words, (x, y), xytext=(0, 9), textcoords="offset points", ha="center", fontsize=9, color=ACTUAL)


def _quieten(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color("#AAAAAA")
    ax.tick_params(colors="#555555", labelsize=8.5, length=3)
    ax.grid(color="#EEEEEE", linewidth=0.8)
    ax.set_axisbelow(True)
