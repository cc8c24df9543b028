"""What must be true of a customer before a reason may be said: comparisons as data.

Feature names may carry `<w>` and `<2w>`: the reference window in days, and twice it. The window is
the one nearest to 90 days among those the feature table has, so the rules survive other windows.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Mapping, Set
from typing import Literal, NamedTuple

import numpy as np

REFERENCE_DAYS = 90
Op = Literal["<", "<=", ">", ">=", "=="]
_COMPARE: dict[str, np.ufunc] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
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


class Comparison(NamedTuple):
    """A fact in a feature table that has what it asks for: `left op bound`, or `left op bound × scale`.

    `left` and `scale` are columns, `scale` "" where there is none; `compare` is the ufunc.
    """

    compare: np.ufunc
    left: str
    bound: float
    scale: str


def reference_window(names: Iterable[str]) -> int:
    """The window nearest to 90 days, in days; the shorter one of two equally near; 90 if there is none.

    Windows that have a trend (one twice as long stands beside them) go first: they can say more.

    >>> reference_window(["n_orders", "n_orders_28d", "n_orders_84d", "n_orders_364d"])
    84
    >>> reference_window(["n_orders_60d", "n_orders_90d", "n_orders_120d", "orders_trend_60d"])
    60
    """
    return _reference_window(tuple(names))


@functools.lru_cache(maxsize=64)
def _reference_window(names: tuple[str, ...]) -> int:
    found = [match for name in names if (match := re.fullmatch(r"(n_orders|orders_trend)_(\d+)d", name))]
    trends = [int(match[2]) for match in found if match[1] == "orders_trend"]
    windows = trends or [int(match[2]) for match in found]
    return min(windows, key=lambda days: (abs(days - REFERENCE_DAYS), days), default=REFERENCE_DAYS)


@functools.cache
def in_window(text: str, window: int) -> str:
    """`<w>` and `<2w>` filled in."""
    return text.replace("<w>", str(window)).replace("<2w>", str(2 * window))


def placed(fact: Fact, columns: Set[str], typical: Mapping[str, float], window: int) -> Comparison | None:
    """The fact for a table with these columns; None where it asks for what is not there, so that it holds of nobody.

    >>> placed(Fact("spend_<w>d", ">", 0.5, of="spend_<2w>d"), {"spend_90d", "spend_180d"}, {}, 90)[1:]
    ('spend_90d', 0.5, 'spend_180d')
    >>> placed(Fact("age_days", ">=", 2, of="<w>"), {"age_days"}, {}, 90)[1:]
    ('age_days', 180.0, '')
    """
    left, bound, scale = in_window(fact.feature, window), float(fact.bound), ""
    if fact.of == "<w>":
        bound *= window
    elif fact.of == "typical":
        bound *= typical.get(fact.feature, math.nan)
    elif fact.of:
        scale = in_window(fact.of, window)
    if left not in columns or (scale and scale not in columns) or math.isnan(bound):
        return None
    return Comparison(_COMPARE[fact.op], left, bound, scale)
