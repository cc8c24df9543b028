"""How high the total should be: a question of its own, answered on earlier windows.

Trees cannot extrapolate the age of a cohort; a closed form cannot see a season. Each rule is a way to
set the total of a forecast from what is known on the day; the one that was closest on earlier
windows is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.models import btyd
from tiercast.training.windows.snapshots import Snapshot

OWN, CLOSED_FORM, BLEND, SEASON, LAST_YEAR = "own", "closed_form", "blend", "season", "last_year"
CLEARLY_BETTER = 2 / 3
Totals = tuple[Mapping[str, float], float, float]


class LevelChoice(NamedTuple):
    """The rule taken, and per rule the mean absolute log-ratio of actual to forecast totals."""

    rule: str
    errors: Mapping[str, float]


def multipliers(forecast: Vector, snapshot: Snapshot) -> dict[str, float]:
    """What each rule multiplies a forecast with.

    `own` leaves it; `closed_form` takes the total of expected orders x order values; `blend` the geometric mean of
    both. Where the year before is known: `season` is the closed form's total times how wrong it was in the same window
    then, for a market that swings; `last_year` gives every customer the mean of what a customer brought in that window,
    for people with days of their own in the year, on whom the closed form is wrong by another factor every year.
    """
    total, closed = float(np.nansum(forecast)), float(np.nansum(snapshot.features[btyd.VALUE]))
    if total <= 0 or closed <= 0:
        return {OWN: 1.0}
    rules = {OWN: 1.0, CLOSED_FORM: closed / total, BLEND: float(np.sqrt(closed / total))}
    then = snapshot.last_year
    told = {SEASON: then.ratio * closed, LAST_YEAR: then.per_customer * len(forecast)} if then else {}
    return rules | {rule: money / total for rule, money in told.items() if money > 0}


def choose(windows: Sequence[Totals], usable: Set[str]) -> LevelChoice:
    """The rule with the smallest error over windows of (multipliers, forecast total, actual total).

    A candidate is a rule that every window has and that is `usable` for the forecast to come. A handful of windows says
    little about totals, so the closed form, which has nothing left to overfit, stays unless another rule takes a third
    off its error.
    """
    rules = sorted(set(usable).intersection(*(of_rule for of_rule, _, _ in windows)))
    found = {rule: float(np.mean([_error(window, rule) for window in windows])) for rule in rules}
    best = min(found, key=lambda rule: found[rule])
    is_clear = found[best] <= CLEARLY_BETTER * found.get(CLOSED_FORM, np.inf)
    return LevelChoice(best if is_clear else CLOSED_FORM, found)


def _error(window: Totals, rule: str) -> float:
    of_rule, forecast, actual = window
    return abs(float(np.log(max(actual, 1e-9) / max(of_rule[rule] * forecast, 1e-9))))
