"""One reason for a customer's value: the letter has two axes, and churn is only one of them.

The value is expected orders times money per order. Their logs, measured from the typical customer at the value cut, add
up to the log of value over the cut. The reason names the part that puts the customer on their side of the cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.tiers import families, grid
from tiercast.tiers.rules import CODE, NONE, Codes

MANY, LARGE = (CODE[code] for code in families.HIGH_VALUE)
FEW, SMALL = (CODE[code] for code in families.LOW_VALUE)
ONE_ORDER = CODE[families.ONE_ORDER_SO_FAR]
_IS_HIGH = np.isin(grid.TIERS, grid.HIGH_VALUE)
_IS_IN_GRID = np.isin(grid.TIERS, grid.IN_GRID)
_C, _E = grid.TIERS.index("C"), grid.TIERS.index("E")


def choose(tiers: NDArray[np.intp], orders: Vector, money: Vector, n_orders: Vector) -> Codes:
    """A number of `families.CODES` per customer, -1 for none; `tiers` are `grid.numbers`.

    `orders` and `money` are those of `models.factors.from_cut`. In A to D the letter says which side of the cut is
    explained; in E only a value at the cut or above is. A faithful customer with one order so far has a reason of their
    own, because an invitation to the second one follows from it.

    >>> tiers, ones = grid.numbers(np.array(["A", "B", "C", "D", "E"])), np.ones(5)
    >>> orders, money = np.array([0.5, -0.2, -0.5, 0.1, -3.0]), np.array([0.1, 0.4, 0.2, -0.4, 0.0])
    >>> [families.CODES[code] for code in choose(tiers, orders, money, ones)[:2]]
    ['high_value_many_orders', 'high_value_large_orders']
    >>> [families.CODES[code] for code in choose(tiers, orders, money, ones)[2:4]]
    ['low_value_one_order', 'low_value_small_orders']
    """
    is_high = _IS_HIGH[tiers] | ((tiers == _E) & (orders + money >= 0))
    is_by_orders = np.where(is_high, orders >= money, orders <= money)
    low = np.where(is_by_orders, np.where((tiers == _C) & (n_orders == 1), ONE_ORDER, FEW), SMALL)
    codes = np.where(is_high, np.where(is_by_orders, MANY, LARGE), low)
    return np.where(_IS_IN_GRID[tiers] | is_high, codes, NONE).astype(np.int16)
