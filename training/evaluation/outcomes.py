"""Forecast beside outcome: one pair per customer, with its weight and its place among ties.

Every metric of the report is a function of `Pairs` alone. Distinct values are numbered once, from the
largest down; after that a ranking metric needs sums per distinct value and cumulative sums of those, never
another sort. Two things follow: equal forecasts are one group, so the order of rows cannot matter, and a
bootstrap draw is the same pairs under other weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, SupportsFloat

import numpy as np
from numpy.typing import NDArray

from tiercast.contract import errors
from tiercast.contract.vectors import Vector


class Steps(NamedTuple):
    """Running totals over customers in a ranking, from 0, one step per distinct value.

    Inside a step the customers cannot be told apart, so every reader interpolates linearly: that is the
    average over all orders of the tie.
    """

    weight: Vector
    forecast: Vector
    actual: Vector


@dataclass(frozen=True)
class Pairs:
    """One entry per customer in each field; `weight` counts how often the customer is in the sample."""

    forecast: Vector
    actual: Vector
    weight: Vector
    forecast_tie: NDArray[np.intp]
    actual_tie: NDArray[np.intp]

    @cached_property
    def best_first(self) -> Steps:
        """Totals over customers from the highest forecast down; kept, since most rankings start here."""
        return _accumulate(self, self.forecast_tie)

    @cached_property
    def truth_first(self) -> Steps:
        """Totals over customers from the highest outcome down: the perfect order."""
        return _accumulate(self, self.actual_tie)


def pair(forecast: Vector, actual: Vector) -> Pairs:
    """Forecasts and outcomes of the same customers, ready to be measured.

    Raises BadInput when the lengths differ, when there is nobody, or when a number is missing or infinite.
    """
    forecast, actual = np.asarray(forecast, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    _refuse_unusable(forecast, actual)
    return Pairs(forecast, actual, np.ones(len(actual)), number_descending(forecast), number_descending(actual))


def number_descending(numbers: Vector) -> NDArray[np.intp]:
    """Place of each number among the distinct ones, 0 for the largest.

    >>> number_descending(np.array([2.0, 9.0, 2.0, 5.0]))
    array([2, 0, 2, 1])
    """
    places: NDArray[np.intp] = np.unique(-numbers, return_inverse=True)[1]
    return places


def equal_count_bins(pairs: Pairs, bins: int) -> Steps:
    """Weight, forecast and outcome summed in bins of equal weight, highest forecasts first.

    A tie that lies across an edge is shared out between the two bins in proportion.
    """
    steps = pairs.best_first
    edges = np.linspace(0.0, steps.weight[-1], bins + 1)
    return Steps(*(np.diff(np.interp(edges, steps.weight, total)) for total in steps))


def total(pairs: Pairs, numbers: Vector) -> float:
    """Sum over customers, by weight.

    Not a dot product: that starts threads, and on a busy machine waits milliseconds for them on every draw.
    """
    return float(np.sum(pairs.weight * numbers))


def mean(pairs: Pairs, numbers: Vector) -> float:
    """Mean over customers, by weight."""
    return total(pairs, numbers) / float(np.sum(pairs.weight))


def ratio(over: SupportsFloat, under: SupportsFloat) -> float:
    """A quotient that is nan, without a warning, where there is nothing to divide by."""
    return float(over) / float(under) if float(under) != 0 else float("nan")


def _accumulate(pairs: Pairs, tie: NDArray[np.intp]) -> Steps:
    return Steps(
        _running(tie, pairs.weight),
        _running(tie, pairs.weight * pairs.forecast),
        _running(tie, pairs.weight * pairs.actual),
    )


def _running(tie: NDArray[np.intp], parts: Vector) -> Vector:
    return np.concatenate([np.zeros(1), np.cumsum(np.bincount(tie, parts), dtype=np.float64)])


def _refuse_unusable(forecast: Vector, actual: Vector) -> None:
    if forecast.shape != actual.shape or forecast.ndim != 1 or not len(actual):
        raise errors.BadInput(
            f"{forecast.shape} forecasts beside {actual.shape} outcomes; both must be one number per customer.",
            hint="pass the forecasts and the outcomes of the same customers, in the same order.",
        )
    unusable = ~(np.isfinite(forecast) & np.isfinite(actual))
    if unusable.any():
        at = int(np.argmax(unusable))
        raise errors.BadInput(
            "the forecast or the outcome is missing or infinite.",
            count=int(unusable.sum()),
            total=len(actual),
            unit="customers",
            first=f"position {at}: forecast {forecast[at]}, outcome {actual[at]}",
            hint="leave out customers without a score (prospects have none) before measuring.",
        )
