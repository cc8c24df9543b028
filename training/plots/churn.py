"""Pictures of a churn model: is a stated risk true, whom does the ranking find, and what does a campaign earn?"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import outcomes, probability, profit, ranking
from tiercast.training.plots import style

SHORTEST_LIST = 0.01
"""Lift is drawn from here on; of fewer customers it is mostly luck."""


def reliability(p: Vector, y: Vector) -> Figure:
    """Stated churn probability against what happened, in ten bins of equal count with 95 % intervals.

    p: probability in [0, 1]; y: 1 churned, 0 not; one entry per customer. The grey bars show how many have each risk.
    """
    pairs = outcomes.pair(p, y)
    curve = probability.reliability_curve(pairs)
    drawn, (ax,) = style.figure(
        "Is a stated churn risk what happens?",
        f"Ten groups of equal size with 95% intervals; on the dashed line is right. "
        f"Mean gap (ECE) {probability.ece(pairs):.3f}, n = {len(p):,}",
    )
    ax.plot([0, 1], [0, 1], color=style.QUIET, linewidth=1, linestyle="--")
    ax.vlines(curve.stated, *probability.wilson(curve.observed, curve.weight), color=style.MODEL, linewidth=1.6)
    ax.plot(curve.stated, curve.observed, "o-", color=style.MODEL, linewidth=1.2, markersize=5)
    _spread(ax, p)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    style.shares(ax, "x", "y")
    style.label(ax, "stated churn probability", "share that churned")
    return drawn


def lift_and_gain(p: Vector, y: Vector) -> Figure:
    """What share of the churners a contact list of each length finds, and how much better than chance that is."""
    pairs = outcomes.pair(p, y)
    reached, found = ranking.gains_curve(pairs)
    best = np.minimum(reached / y.mean(), 1.0)
    drawn, (gain, lift) = style.figure(
        "How many churners does a contact list find?",
        f"Customers ranked by churn risk, highest first. AUC {ranking.auc(pairs):.3f}, churn rate {y.mean():.0%}, "
        f"n = {len(p):,}. Dashed: drawn blindly. Dotted: the best possible.",
        panels=2,
        width=9.6,
    )
    _gain_panel(gain, reached, found, best)
    some = reached >= SHORTEST_LIST
    _lift_panel(lift, reached[some], found[some], best[some])
    return drawn


def campaign_profit(p: Vector, y: Vector, campaign: profit.Campaign = profit.TEXTBOOK) -> Figure:
    """Profit of a retention campaign, per customer of the base, by how far down the ranking it goes."""
    pairs = outcomes.pair(p, y)
    reached, earned = profit.profit_curve(pairs, campaign)
    taken = campaign.alpha / (campaign.alpha + campaign.beta)
    drawn, (ax,) = style.figure(
        "How far down the list does a retention offer pay?",
        f"A customer kept is worth {campaign.clv:g}, an offer costs {campaign.d:g}, a contact {campaign.f:g}; "
        f"{taken:.0%} of churners accept. Expected maximum profit (EMPC) {profit.empc(pairs, campaign):.2f} per "
        "customer. Dashed: drawn blindly.",
    )
    ax.axhline(0, color=style.QUIET, linewidth=1)
    ax.plot([0, 1], [0, earned[-1]], color=style.QUIET, linewidth=1, linestyle="--")
    ax.plot(reached, earned, color=style.MODEL, linewidth=2)
    top = int(np.argmax(earned))
    style.point_out(ax, reached[top], earned[top], f"best: contact {reached[top]:.0%}, earn {earned[top]:.2f} each")
    ax.set_xlim(0, 1)
    ax.margins(y=0.2)
    style.shares(ax, "x")
    style.label(ax, "share of customers contacted, highest risk first", "profit per customer of the base, money")
    return drawn


def _spread(ax: Axes, p: Vector) -> None:
    """How many customers have each probability, as low bars along the bottom."""
    heights, edges = np.histogram(p, bins=np.linspace(0, 1, 41))
    ax.bar(edges[:-1], heights / heights.max() * 0.12, width=1 / 40, align="edge", color=style.FAINT, zorder=0)
    ax.text(0.015, 0.96, "above the line: more churn than stated", fontsize=8.5, color=style.DIM, va="top")
    ax.text(0.015, 0.91, "grey bars: how many customers have each risk", fontsize=8.5, color=style.DIM, va="top")


def _gain_panel(ax: Axes, reached: Vector, found: Vector, best: Vector) -> None:
    ax.plot(reached, best, color=style.QUIET, linewidth=1, linestyle=":")
    ax.plot([0, 1], [0, 1], color=style.QUIET, linewidth=1, linestyle="--")
    ax.plot(reached, found, color=style.MODEL, linewidth=2)
    fifth = float(np.interp(0.2, reached, found))
    style.point_out(ax, 0.2, fifth)
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    style.shares(ax, "x", "y")
    style.label(
        ax,
        "share of customers contacted",
        "share of all churners found",
        f"Gain: the top 20% hold {fifth:.0%} of the churners",
    )


def _lift_panel(ax: Axes, reached: Vector, found: Vector, best: Vector) -> None:
    ax.axhline(1, color=style.QUIET, linewidth=1, linestyle="--")
    ax.plot(reached, best / reached, color=style.QUIET, linewidth=1, linestyle=":")
    ax.plot(reached, found / reached, color=style.MODEL, linewidth=2)
    tenth = float(np.interp(0.1, reached, found)) / 0.1
    style.point_out(ax, 0.1, tenth)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, max(1.0, (best / reached).max()) * 1.06)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda times, _: f"{times:g}x"))
    style.shares(ax, "x")
    style.label(
        ax,
        "share of customers contacted",
        "churners found, times chance",
        f"Lift: {tenth:.1f} times chance in the top tenth",
    )
