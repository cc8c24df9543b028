"""The picture of `benchmarks.large`: seconds and peak memory against customers, the usual script beside them.

The file depends on the numbers alone: no date, no version and no random id is in it.
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from benchmarks.large import Rung
from tiercast.training.plots import style

FILE = pathlib.Path(__file__).with_name("large.svg")
USUAL = "the usual script"
Points = list[tuple[int, float]]


def write(rungs: Sequence[Rung], file: pathlib.Path = FILE) -> None:
    """Draw both panels into an SVG file whose text stays text."""
    title, subtitle = (
        "Grading ever more customers",
        "tiercast score on simulated customers, from Parquet files to one file",
    )
    with mpl.rc_context({"svg.hashsalt": "tiercast", "svg.fonttype": "none", "font.family": "sans-serif"}):
        drawn, (seconds, memory) = style.figure(title, subtitle, panels=2, width=8.4, height=3.8)
        _panel(seconds, {name: points(rungs, name, "seconds") for name in names(rungs)}, "seconds")
        _panel(memory, {name: points(rungs, name, "peak_gib") for name in names(rungs)}, "GiB, peak")
        memory.legend(frameon=False, fontsize=8.5, loc="best")
        drawn.savefig(file, format="svg", metadata={"Date": None, "Creator": None})


def names(rungs: Sequence[Rung]) -> list[str]:
    """Kinds of reasons, then the usual script where it ran."""
    return [run.reasons for run in rungs[0].runs] + ([USUAL] if any(rung.usual for rung in rungs) else [])


def points(rungs: Sequence[Rung], name: str, what: str) -> Points:
    """Customers in millions and the number, of every size that has it."""
    runs = [run for rung in rungs for run in (*rung.runs, rung.usual) if run and (run.reasons or USUAL) == name]
    return [(run.customers, float(getattr(run, what))) for run in runs]


def _panel(ax: Axes, drawn: dict[str, Points], y: str) -> None:
    colours = (style.MODEL, *style.CYCLE[1:3])
    for at, (name, found) in enumerate(drawn.items()):
        colour = style.ACTUAL if name == USUAL else colours[at]
        label = name if name == USUAL else f"reasons {name}"
        ax.plot(*zip(*found), marker=style.MARKERS[at], color=colour, markersize=5, linewidth=1.4, label=label)
    ax.set_ylim(bottom=0)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n / 1e6:g}M" if n else "0"))
    style.label(ax, x="customers", y=y)
