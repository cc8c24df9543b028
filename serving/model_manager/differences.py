"""Aggregated differences between two models on the same customers, in bounded memory and without personal data."""

from __future__ import annotations

import collections
import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SAMPLE_SIZE = 10_000  # differences of value: a uniform sample of all, for the quantiles
QUANTILES = (0.05, 0.5, 0.95)


class Differences:
    """Counts and means of all scores that were added, and a sample of the differences in value.

    >>> ours = [{"tier": "A", "p_churn": 0.25, "value": 90.0}, {"tier": "F", "p_churn": None, "value": None}]
    >>> theirs = [{"tier": "B", "p_churn": 0.75, "value": 80.0}, {"tier": "F", "p_churn": None, "value": None}]
    >>> differences = Differences()
    >>> differences.add(ours, theirs)
    >>> {name: number for name, number in differences.figures().items() if "_q" not in name}
    {'compared': 2.0, 'tier_changed_share': 0.5, 'moved/A_B': 1.0, 'moved/F_F': 1.0,
     'p_churn_mean_abs_diff': 0.5, 'value_mean_diff': -10.0}
    """

    def __init__(self) -> None:
        self._moves: collections.Counter[tuple[str, str]] = collections.Counter()
        self._p_churn, self._value = 0.0, 0.0
        self._n_numbers = 0
        self._sample: list[float] = []
        self._random = random.Random(0)  # noqa: S311  a sample of differences guards nothing

    def add(self, ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> None:
        """Add scores of the same customers in the same order, by the served model and by the challenger."""
        for our, their in zip(ours, theirs, strict=True):
            self._moves[our["tier"], their["tier"]] += 1
            if None not in (our["p_churn"], their["p_churn"], our["value"], their["value"]):
                self._add_numbers(abs(their["p_churn"] - our["p_churn"]), their["value"] - our["value"])

    def figures(self) -> dict[str, float]:
        """The figures so far, by name. A difference is the challenger's number minus the served model's."""
        n = self._moves.total()
        if not n:
            return {"compared": 0.0}
        changed = sum(count for (ours, theirs), count in self._moves.items() if ours != theirs)
        moves = {f"moved/{ours}_{theirs}": float(count) for (ours, theirs), count in sorted(self._moves.items())}
        figures = {"compared": float(n), "tier_changed_share": changed / n, **moves}
        if self._n_numbers:
            figures["p_churn_mean_abs_diff"] = self._p_churn / self._n_numbers
            figures["value_mean_diff"] = self._value / self._n_numbers
            for share, number in zip(QUANTILES, np.quantile(self._sample, QUANTILES), strict=True):
                figures[f"value_diff_q{share * 100:02.0f}"] = float(number)
        return figures

    def _add_numbers(self, p_churn: float, value: float) -> None:
        if not (math.isfinite(p_churn) and math.isfinite(value)):
            return
        self._n_numbers += 1
        self._p_churn += p_churn
        self._value += value
        if len(self._sample) < SAMPLE_SIZE:
            self._sample.append(value)
        elif (place := self._random.randrange(self._n_numbers)) < SAMPLE_SIZE:
            self._sample[place] = value  # Vitter (1985), algorithm R: every difference is equally likely to stay
