"""Customers with days of their own in the year: birthdays, anniversaries, Christmas.

Nothing here is Poisson. Every customer has one or a few days of the year on which they buy, most years, within a week
or so of the day, until they leave; many of these days lie before Christmas, so that the market has a season as well. It
is what models with a constant rate get wrong: a giver of December is not silent in June.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector

YEAR = 365.25


class Yearly(NamedTuple):
    """What the days of the year are like. Times in days; `highest` counts from 1 January.

    `peak` is the share of days that lie around `highest`, within `peak_width`; the others are anywhere in the year.
    `keen` and `unkeen` are the beta distribution of how likely somebody keeps one of their days.
    """

    more_days: float = 0.7
    peak: float = 0.6
    highest: float = 348.0  # 15 December
    peak_width: float = 14.0
    jitter: float = 7.0
    keen: float = 6.0
    unkeen: float = 2.0


def draw(
    rhythm: Yearly, span: float, until_leaving: NDArray[np.int64], random: np.random.Generator
) -> tuple[NDArray[np.int64], Vector]:
    """Who ordered and when, by customer and time: `until_leaving` orders each, from a day they came on to `span`.

    Whoever came too late for one of their days has no order and is left out.
    """
    n = len(until_leaving)
    came = random.random(n) * span
    owner = np.repeat(np.arange(n), 1 + random.poisson(rhythm.more_days, n))
    is_peak = random.random(len(owner)) < rhythm.peak
    near_peak = rhythm.highest + rhythm.peak_width * random.normal(size=len(owner))
    day = np.where(is_peak, near_peak, YEAR * random.random(len(owner))) % YEAR
    years = np.arange(-1, int(span / YEAR) + 2)
    at = day[:, None] + YEAR * years + rhythm.jitter * random.normal(size=(len(owner), len(years)))
    keeps = random.random(at.shape) < random.beta(rhythm.keen, rhythm.unkeen, n)[owner, None]
    happens = keeps & (at >= came[owner, None]) & (at < span)
    return _until_they_leave(np.repeat(owner, happens.sum(axis=1)), at[happens], until_leaving)


def _until_they_leave(
    customer: NDArray[np.int64], at: Vector, until_leaving: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Vector]:
    order = np.lexsort((at, customer))
    customer, at = customer[order], at[order]
    first = np.flatnonzero(np.diff(customer, prepend=-1))
    nth = np.arange(len(customer)) - np.repeat(first, np.diff(first, append=len(customer))) + 1
    kept = nth <= until_leaving[customer]
    return customer[kept], at[kept]
