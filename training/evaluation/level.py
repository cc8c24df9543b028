"""The level of a forecast: in total, per customer and per decile, in money or in orders.

MAE alone misleads: most customers buy nothing, so forecasting nothing at all nearly ties with good models.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import outcomes
from tiercast.training.evaluation.outcomes import Pairs


class Deciles(NamedTuple):
    """Mean forecast and mean outcome per customer in each tenth, highest forecasts first."""

    forecast: Vector
    actual: Vector


def bias(pairs: Pairs) -> float:
    """How far the total is off: sum(forecast) / sum(actual) - 1; -0.1 is ten percent too low."""
    return outcomes.ratio(outcomes.total(pairs, pairs.forecast), outcomes.total(pairs, pairs.actual)) - 1


def mae(pairs: Pairs) -> float:
    """Mean absolute error per customer, in the unit of the outcome."""
    return outcomes.mean(pairs, np.abs(pairs.forecast - pairs.actual))


def rmse(pairs: Pairs) -> float:
    """Root of the mean squared error per customer, in the unit of the outcome; few large errors rule it."""
    return float(np.sqrt(outcomes.mean(pairs, (pairs.forecast - pairs.actual) ** 2)))


def msle(pairs: Pairs) -> float:
    """Mean squared error of log(1 + outcome): ratios count, not differences.

    A customer whose refunds exceed their orders counts as 0 here.
    """
    gap = np.log1p(np.maximum(pairs.forecast, 0)) - np.log1p(np.maximum(pairs.actual, 0))
    return outcomes.mean(pairs, gap**2)


def decile_mape(pairs: Pairs) -> float:
    """Mean relative error of the ten decile means: is each level of the forecast right?

    After Wang, Liu & Miao (2019), arXiv:1912.07753, section 4. A decile that brought nothing has no relative error:
    it counts 0 when nothing was forecast for it, else 1.
    """
    forecast, actual = deciles(pairs)
    brought = actual > 0
    relative = np.divide(np.abs(forecast - actual), actual, out=(forecast != actual).astype(np.float64), where=brought)
    return float(np.mean(relative))


def deciles(pairs: Pairs) -> Deciles:
    """Mean forecast and mean outcome in tenths of the customers, the highest forecasts first."""
    tenths = outcomes.equal_count_bins(pairs, 10)
    return Deciles(tenths.forecast / tenths.weight, tenths.actual / tenths.weight)
