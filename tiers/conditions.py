"""Conditions on a customer's features, as data: a reason is given only where its conditions hold.

Feature names may contain `<w>` and `<2w>`: the reference window in days, and twice it. The reference window is the one
nearest to 90 days in the feature table, so the same conditions serve tables with other windows.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Mapping, Set
from typing import Literal, NamedTuple

import numpy as np

from tiercast.contract.vectors import Mask, Vector

REFERENCE_DAYS = 90
Op = Literal["<", "<=", ">", ">=", "=="]
_UFUNCS: dict[str, np.ufunc] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
}


class Condition(NamedTuple):
    """`feature op bound`, or `feature op bound × times`.

    `times` is another feature of the same customer, `<w>` (the reference window, days), `typical` (the base's typical
    value of this feature) or another number of the bundle, such as `inactive_days`. These are frozen at training, so
    that no customer's reasons depend on other customers.
    """

    feature: str
    op: Op
    bound: float
    times: str = ""

    def __str__(self) -> str:
        if self.bound == -math.inf:
            return f"{self.feature} is known"
        right = f"{self.bound:g}" if not self.times else f"{self.bound:g} × {self.times}"
        return f"{self.feature} {self.op} {right}"


class BoundCondition(NamedTuple):
    """A condition with its columns and numbers filled in: `column op bound`, or `column op bound × scale`.

    `scale` is a column too; "" where there is none. A comparison with NaN is false.
    """

    ufunc: np.ufunc
    column: str
    bound: float
    scale: str

    def evaluate(self, columns: Mapping[str, Vector], out: Mask) -> None:
        """Writes to `out` whether each customer meets the condition."""
        bound = self.bound * columns[self.scale] if self.scale else self.bound
        self.ufunc(columns[self.column], bound, out=out)


def reference_window(names: Iterable[str]) -> int:
    """The window nearest to 90 days, in days; the shorter one of two equally near; 90 if there is none.

    Windows with a trend come first, since more reasons apply to them: a window twice as long is in the table too.

    >>> reference_window(["n_orders", "n_orders_28d", "n_orders_84d", "n_orders_364d"])
    84
    >>> reference_window(["n_orders_60d", "n_orders_90d", "n_orders_120d", "orders_trend_60d"])
    60
    """
    return _reference_window(tuple(names))


@functools.lru_cache(maxsize=64)
def _reference_window(names: tuple[str, ...]) -> int:
    matches = [match for name in names if (match := re.fullmatch(r"(n_orders|orders_trend)_(\d+)d", name))]
    trends = [int(match[2]) for match in matches if match[1] == "orders_trend"]
    windows = trends or [int(match[2]) for match in matches]
    return min(windows, key=lambda days: (abs(days - REFERENCE_DAYS), days), default=REFERENCE_DAYS)


@functools.cache
def in_window(text: str, window: int) -> str:
    """The text with `<w>` and `<2w>` filled in."""
    return text.replace("<w>", str(window)).replace("<2w>", str(2 * window))


def bind(condition: Condition, columns: Set[str], typical: Mapping[str, float], window: int) -> BoundCondition | None:
    """The condition for a table with these columns; None if a column or a typical value is missing.

    >>> bind(Condition("spend_<w>d", ">", 0.5, times="spend_<2w>d"), {"spend_90d", "spend_180d"}, {}, 90)[1:]
    ('spend_90d', 0.5, 'spend_180d')
    >>> bind(Condition("age_days", ">=", 2, times="<w>"), {"age_days"}, {}, 90)[1:]
    ('age_days', 180.0, '')
    """
    column, bound, scale = in_window(condition.feature, window), float(condition.bound), ""
    if condition.times == "<w>":
        bound *= window
    elif condition.times == "typical":
        bound *= typical.get(condition.feature, math.nan)
    elif condition.times in typical:
        bound *= typical[condition.times]
    elif condition.times:
        scale = in_window(condition.times, window)
    if column not in columns or (scale and scale not in columns) or math.isnan(bound):
        return None
    return BoundCondition(_UFUNCS[condition.op], column, bound, scale)
