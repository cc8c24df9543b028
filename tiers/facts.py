"""What must be true of a customer before a reason may be said: comparisons as data.

Feature names may carry `<w>` and `<2w>`: the reference window in days, and twice it. The window is
the one nearest to 90 days among those the feature table has, so the rules survive other windows.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

import numpy as np

from tiers.vectors import Mask, Vector

REFERENCE_DAYS = 90
Op = Literal["<", "<=", ">", ">=", "=="]
_COMPARE: dict[str, Callable[[Vector, Vector | float], Mask]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}


class Fact(NamedTuple):
    """`feature op bound`, or `feature op bound × of`.

    `of` is another feature of the same customer, `<w>` (the window, days), or `typical`: the base's
    typical value of this feature, frozen at training, so that nobody's reasons hang on who else is scored.
    """

    feature: str
    op: Op
    bound: float
    of: str = ""

    def __str__(self) -> str:
        right = f"{self.bound:g}" if not self.of else f"{self.bound:g} × {self.of}"
        return f"{self.feature} {self.op} {right}"


class Known(NamedTuple):
    """What the rules may look at: the customers' facts, the base's typical values, the window in days.

    `found` remembers which conditions hold of whom: several rules ask the same.
    """

    facts: Mapping[str, Vector]
    typical: Mapping[str, float]
    window: int
    found: dict[Fact, Mask | None]


def reference_window(names: Iterable[str]) -> int:
    """The window nearest to 90 days, in days; the shorter one of two equally near; 90 if there is none.

    Windows that have a trend (one twice as long stands beside them) go first: they can say more.

    >>> reference_window(["n_orders", "n_orders_28d", "n_orders_84d", "n_orders_364d"])
    84
    >>> reference_window(["n_orders_60d", "n_orders_90d", "n_orders_120d", "orders_trend_60d"])
    60
    """
    found = [match for name in names if (match := re.fullmatch(r"(n_orders|orders_trend)_(\d+)d", name))]
    trends = [int(match[2]) for match in found if match[1] == "orders_trend"]
    windows = trends or [int(match[2]) for match in found]
    return min(windows, key=lambda days: (abs(days - REFERENCE_DAYS), days), default=REFERENCE_DAYS)


@functools.cache
def in_window(text: str, window: int) -> str:
    """`<w>` and `<2w>` filled in."""
    return text.replace("<w>", str(window)).replace("<2w>", str(2 * window))


def all_hold(conditions: tuple[Fact, ...], known: Known, customers: int) -> Mask:
    """Per customer, whether every condition holds; what is not known (absent or NaN) never does."""
    held = [_holds(fact, known) for fact in conditions]
    masks = [mask for mask in held if mask is not None]
    if len(masks) < len(held):
        return np.zeros(customers, bool)
    return functools.reduce(np.logical_and, masks) if masks else np.ones(customers, bool)


def _holds(fact: Fact, known: Known) -> Mask | None:
    if fact not in known.found:
        left, right = known.facts.get(in_window(fact.feature, known.window)), _bound(fact, known)
        known.found[fact] = None if left is None or right is None else _COMPARE[fact.op](left, right)
    return known.found[fact]


def _bound(fact: Fact, known: Known) -> Vector | float | None:
    if not fact.of:
        return fact.bound
    if fact.of == "<w>":
        return fact.bound * known.window
    scale = (
        known.typical.get(fact.feature) if fact.of == "typical" else known.facts.get(in_window(fact.of, known.window))
    )
    return None if scale is None else fact.bound * scale
