"""The texts of a comparison, on the terminal and on the page: titles, numbers, one sentence per pair."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from tiercast.training.comparison.differences import Difference
from tiercast.training.comparison.side_by_side import Against, Spread

Row = TypeVar("Row")


class Title(NamedTuple):
    """A metric's name for a reader, and which way is better."""

    name: str
    better: str


TITLES: Mapping[str, Title] = {
    "churn_auc": Title("AUC", "more"),
    "churn_pr_auc": Title("average precision", "more"),
    "churn_top_decile_lift": Title("lift, top tenth", "more"),
    "churn_empc": Title("campaign profit (EMPC)", "more"),
    "churn_brier": Title("Brier score", "less"),
    "churn_log_loss": Title("log loss", "less"),
    "churn_ece": Title("calibration error (ECE)", "less"),
    "value_ngini": Title("normalised Gini", "more"),
    "value_spearman": Title("rank correlation", "more"),
    "value_captured_top10": Title("value in the top 10 %", "more"),
    "value_captured_top20": Title("value in the top 20 %", "more"),
    "value_mae": Title("mean absolute error", "less"),
    "value_rmse": Title("root mean squared error", "less"),
    "value_msle": Title("squared error of logs", "less"),
    "value_bias": Title("error of the total", "nearer to 0"),
    "value_decile_mape": Title("error of the deciles", "less"),
    "value_above": Title("above the top of their range", "nearer to 10 %"),
    "value_below": Title("below the floor of their range", "nearer to 10 %"),
    "value_despite": Title("more than the nothing promised", "nearer to 10 %"),
}
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Churn: ranking": ("churn_auc", "churn_pr_auc", "churn_top_decile_lift", "churn_empc"),
    "Churn: calibration": ("churn_brier", "churn_log_loss", "churn_ece"),
    "Value: ranking": ("value_ngini", "value_spearman", "value_captured_top10", "value_captured_top20"),
    "Value: level": ("value_mae", "value_rmse", "value_msle", "value_bias", "value_decile_mape"),
    "Value: intervals": ("value_above", "value_below", "value_despite"),
}
DISTANCES: Mapping[str, str] = {
    "value_bias": "how far the total is off, either way",
    "value_above": "how far the share above the top is from 10 %",
    "value_below": "how far the share below the floor is from 10 %",
    "value_despite": "how far the share despite [0, 0] is from 10 %",
}
"""Metrics whose difference is not that of the values beside it, but of these."""


def title(name: str) -> Title:
    """A metric that has no title yet goes by its own name."""
    return TITLES.get(name, Title(name, "see docs/models.md"))


def titled(rows: Mapping[str, Row]) -> dict[str, Row]:
    """Rows by their metric's name for a reader.

    >>> titled({"value_ngini": 0.7})
    {'normalised Gini': 0.7}
    """
    return {title(name).name: row for name, row in rows.items()}


def sections(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The named metrics under their headings, in the order of reading; what has no heading stands under "More".

    >>> sections(["value_mae", "churn_auc", "value_new"])
    {'Churn: ranking': ('churn_auc',), 'Value: level': ('value_mae',), 'More': ('value_new',)}
    """
    given = list(names)
    placed = {heading: tuple(name for name in inside if name in given) for heading, inside in SECTIONS.items()}
    placed["More"] = tuple(name for name in given if name not in TITLES)
    return {heading: inside for heading, inside in placed.items() if inside}


def short(run_id: str) -> str:
    """A prefix of a run's id: short enough to type, long enough to be unique."""
    return run_id[:8]


def sentence(against: Against) -> str:
    """One line for a ticket.

    >>> better, noise = Difference(0.02, 0.01, 0.03, True, "better"), Difference(0.1, -0.2, 0.3, True, "noise")
    >>> sentence(Against("8be71d24aa", {"churn_auc": better, "value_mae": noise}, None, {}))
    '8be71d24: better beyond noise in AUC; worse beyond noise in nothing'
    """
    found = against.differences.items()
    better, worse = (
        ", ".join(title(name).name for name, each in found if each.verdict == verdict) or "nothing"
        for verdict in ("better", "worse")
    )
    summary = f"{short(against.run_id)}: better beyond noise in {better}; worse beyond noise in {worse}"
    if against.tiers is None:
        return summary
    return f"{summary}; {against.tiers.changed:,} of {against.tiers.customers:,} customers change tier"


def number(found: float | None, sign: str = "") -> str:
    """As many digits as differences need.

    >>> number(0.88954), number(12345.6), number(-0.00021, "+"), number(0.0, "+"), number(None)
    ('0.8895', '12,345.60', '-0.0002', '0', '–')
    """
    if found is None or math.isnan(found):
        return "–"
    if found == 0:
        return "0"
    return f"{found:{sign},.2f}" if abs(found) >= 2 else f"{found:{sign}.4f}"


def difference(found: Difference | None) -> tuple[str, str, str]:
    """Value, interval and verdict."""
    if found is None:
        return "–", "–", ""
    ends = f"{number(found.low, '+')} to {number(found.high, '+')}"
    return number(found.value, "+"), ends, found.verdict + ("" if found.is_paired else ", unpaired")


def spread(found: Spread | None) -> str:
    """Mean and range over windows."""
    if found is None:
        return "–"
    return f"{number(found.mean)} ({number(found.lowest)} to {number(found.highest)})"


def text(found: str | None) -> str:
    """A parameter; a long decimal has as many digits as make it distinct.

    >>> text("0.062475918572214885"), text("2.5e-05"), text("40"), text("[30, 60]"), text(None)
    ('0.062476', '2.5e-05', '40', '[30, 60]', '–')
    """
    if not found:
        return "–"
    try:
        return found if found.isdecimal() else f"{float(found):.5g}"
    except ValueError:
        return found


def count(found: int | None) -> str:
    return "–" if found is None else f"{found:,}"
