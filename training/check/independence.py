"""Does money go together with frequency? The assumption behind multiplying orders by order value, measured.

Gamma-Gamma takes what a customer spends per order to be unrelated to how often they order. Where dealers buy often
*and* much, the product of the two expectations is too low for the best customers and too high for the others.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from ibis.expr import types as ir
from scipy import stats

from tiercast.contract.vectors import Vector
from tiercast.features import exact, orders
from tiercast.features.engines import Engine

MOST_SPEARMAN, MOST_ETA_SQUARED = 0.30, 0.25
LEAST_BUYERS = 30
LAST_BIN = 7


class Independence(NamedTuple):
    """Both measures over `n_customers` repeat buyers; NaN where there are fewer than thirty, or all are alike."""

    spearman: float
    eta_squared: float
    n_customers: int

    @property
    def holds(self) -> bool:
        """False where a measure reaches its limit; what cannot be measured is not called broken."""
        return not (abs(self.spearman) >= MOST_SPEARMAN or self.eta_squared >= MOST_ETA_SQUARED)

    @property
    def warning(self) -> str | None:
        """The warning for a training on these data; None where the assumption holds."""
        if self.holds:
            return None
        measured = f"Spearman {self.spearman:+.2f}, η² {self.eta_squared:.2f}, {self.n_customers:,} repeat buyers"
        return f"order value goes with the number of orders ({measured}), which Gamma-Gamma takes to be unrelated"

    def as_dict(self) -> dict[str, float | int | bool | None]:
        """For JSON and MLflow: null where nothing could be measured."""
        known = np.isfinite(self.spearman) and np.isfinite(self.eta_squared)
        numbers = (self.spearman, self.eta_squared) if known else (None, None)
        return {
            "spearman": numbers[0],
            "eta_squared": numbers[1],
            "n_customers": self.n_customers,
            "holds": self.holds,
        }


def measure(x: Vector, m: Vector) -> Independence:
    """For customers with x repeat orders of mean value m; customers with no repeat order or no positive m are left out.

    `spearman` is the rank correlation of x and m, which sees money that rises or falls with frequency. `eta_squared` is
    the share of m's variance that lies between customers of 1, 2, ... 6, and 7 or more repeat orders, which sees any
    other pattern too; the last are together, because groups of one explain themselves.

    >>> measure(np.array([1.0, 1, 2, 2] * 10), np.array([10.0, 20, 20, 30] * 10)).eta_squared      # 25 of 50, by hand
    0.5
    """
    some = (x > 0) & (np.nan_to_num(m, nan=0.0) > 0)
    x, m = x[some], m[some]
    if len(x) < LEAST_BUYERS or x.min() == x.max() or math.isclose(m.min(), m.max()):
        return Independence(float("nan"), float("nan"), len(x))
    return Independence(float(stats.spearmanr(x, m).statistic), _eta_squared(np.minimum(x, LAST_BIN), m), len(x))


def observe(engine: Engine, transactions: ir.Table) -> Independence:
    """The same from a table of transactions, in which an order is a customer's day and refunds are no orders."""
    sales = orders.with_neighbours(orders.daily(transactions))
    repeats = sales.filter(sales["gap"].notnull()).group_by("customer_id")
    by_customer = repeats.aggregate(x=lambda t: t.count(), m=lambda t: exact.total(t["gross"]) / t.count())
    found = engine.con.to_pyarrow(
        by_customer.order_by("customer_id")
    )  # a mean's last bits depend on the order of its terms
    return measure(*(found[name].to_numpy().astype(np.float64) for name in ("x", "m")))


def _eta_squared(group: Vector, m: Vector) -> float:
    _, place = np.unique(group, return_inverse=True)
    means = np.bincount(place, m) / np.bincount(place)
    return float(np.var(means[place]) / np.var(m))
