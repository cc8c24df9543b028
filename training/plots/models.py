"""Pictures that set things side by side: models against baselines, and features against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation.bootstrap import Metric
from tiercast.training.plots import style


def comparison(
    name: str, metrics: Mapping[str, Metric], *, higher_is_better: bool = True, chosen: str | None = None
) -> Figure:
    """One metric for every model and baseline with its 95 % interval, best on top; `chosen` stands out.

    name: the metric in the reader's words, for instance "AUC, churn in 90 days".
    """
    known = {model: metric for model, metric in metrics.items() if np.isfinite(metric.value)}
    ranked = sorted(known, key=lambda model: known[model].value * (1 if higher_is_better else -1))
    drawn, (ax,) = style.figure(
        f"{name}: which model does best?",
        f"{'Further right' if higher_is_better else 'Further left'} is better. Lines: 95% intervals over customers.",
        height=1.5 + 0.36 * max(len(ranked), 2),
    )
    for at, model in enumerate(ranked):
        value, low, high = known[model]
        colour = style.MODEL if model == chosen else "#666666"
        ax.hlines(at, low, high, color=colour, linewidth=2.2)
        ax.plot(value, at, "o", color=colour, markersize=7)
        ax.annotate(style.short(value), (value, at), (0, 6), textcoords="offset points", ha="center", fontsize=8.5,
                    color=colour)  # fmt: skip
    ax.set_yticks(range(len(ranked)), ranked)
    ax.set_ylim(-0.6, len(ranked) - 0.3)
    ax.grid(visible=False, axis="y")
    ax.margins(x=0.08)
    return drawn


def importance(names: Sequence[str], gains: Vector, top: int = 20) -> Figure:
    """How much each feature adds to the trees' fit, as a share of all gain, largest on top.

    gains: total gain per feature, any unit. What is not among the `top` is added up in one bar.
    """
    order = np.argsort(-gains, kind="stable")
    share = gains[order] / max(float(gains.sum()), np.finfo(np.float64).tiny)
    shown = [(names[place], part) for place, part in zip(order[:top], share[:top], strict=True) if part > 0]
    rest = int(np.sum(share[top:] > 0))
    bars = shown + ([(f"{rest} others together", float(share[top:].sum()))] if rest else [])
    drawn, (ax,) = style.figure(
        "What does the model look at?",
        f"Share of the trees' gain: what helps the fit, not what causes churn or value. {len(names)} features.",
        height=1.4 + 0.25 * max(len(bars), 3),
    )
    at = np.arange(len(bars))[::-1]
    colours = [style.MODEL] * len(shown) + [style.QUIET] * (1 if rest else 0)
    ax.barh(at, [part for _, part in bars], color=colours, height=0.7)
    for y, (_, part) in zip(at, bars, strict=True):
        ax.annotate(f"{part:.1%}", (part, y), (4, 0), textcoords="offset points", va="center", fontsize=8.5)
    ax.set_yticks(at, [name for name, _ in bars])
    ax.margins(x=0.12, y=0.02)
    ax.grid(visible=False, axis="y")
    style.shares(ax, "x")
    return drawn
