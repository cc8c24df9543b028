"""How much of a number is luck: resampling customers.

A draw of n customers with replacement is a vector of counts, so a metric is computed under other weights and
nothing is sorted again. Up to 50,000 customers that is the ordinary bootstrap. Beyond, each draw takes 50,000
customers, and deviations shrink by sqrt(50,000 / n): the m-out-of-n bootstrap (Bickel, Götze & van Zwet
1997), whose time and memory per draw do not grow with n.

The interval is the 2.5 % to 97.5 % range of the draws about their own mean, laid around the value. Centring
matters for metrics that resampling can only worsen, such as the calibration error: the plain percentile range of those
can miss the value itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.training.evaluation import outcomes
from tiercast.training.evaluation.outcomes import Pairs

LARGEST_DRAW = 50_000
Measure = Callable[[Pairs], float]
Contrast = Callable[[Pairs, Pairs], float]


class Metric(NamedTuple):
    """A measured number and its 95 % interval over customers."""

    value: float
    low: float
    high: float


def measure(
    pairs: Pairs, measures: Mapping[str, Measure], draws: int = 200, seed: int = 0, largest: int = LARGEST_DRAW
) -> dict[str, Metric]:
    """Every measure with its interval; the same seed draws the same customers for every model."""
    shrink = np.sqrt(min(1.0, largest / len(pairs.actual)))
    drawn = [[measure(sample) for measure in measures.values()] for sample in samples(pairs, draws, seed, largest)]
    columns = np.array(drawn, dtype=np.float64).reshape(draws, len(measures)).T
    return {
        name: around(measure(pairs), column, shrink)
        for (name, measure), column in zip(measures.items(), columns, strict=True)
    }


def paired(
    both: tuple[Pairs, Pairs],
    contrasts: Mapping[str, Contrast],
    draws: int = 200,
    seed: int = 0,
    largest: int = LARGEST_DRAW,
) -> dict[str, Metric]:
    """Numbers that set two forecasts of the same customers against each other, on the same resampled customers."""
    shrink = np.sqrt(min(1.0, largest / len(both[0].actual)))
    sampled = zip(*(samples(pairs, draws, seed, largest) for pairs in both), strict=True)
    drawn = [[contrast(one, other) for contrast in contrasts.values()] for one, other in sampled]
    columns = np.array(drawn, dtype=np.float64).reshape(draws, len(contrasts)).T
    return {
        name: around(contrast(*both), column, shrink)
        for (name, contrast), column in zip(contrasts.items(), columns, strict=True)
    }


def samples(pairs: Pairs, draws: int, seed: int, largest: int = LARGEST_DRAW) -> Iterator[Pairs]:
    """One resampled set of customers per draw."""
    rng, n = np.random.default_rng(seed), len(pairs.actual)
    for _ in range(draws):
        picked = rng.integers(0, n, min(n, largest))
        if n <= largest:
            yield replace(pairs, weight=np.bincount(picked, minlength=n).astype(np.float64))
        else:
            yield outcomes.pair(pairs.forecast[picked], pairs.actual[picked])


def around(value: float, drawn: Vector, shrink: float = 1.0) -> Metric:
    """The value with the spread of the draws laid around it; draws that are nan are left out."""
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn) or not np.isfinite(value):
        return Metric(value, float("nan"), float("nan"))
    below, above = np.quantile(drawn - drawn.mean(), [0.025, 0.975])
    return Metric(value, float(value + shrink * below), float(value + shrink * above))
