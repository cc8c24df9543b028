"""The limits that grades, gates and monitoring share."""

from __future__ import annotations

from typing import NamedTuple


class QualityLimits(NamedTuple):
    """The largest calibration error and share of bias, and the fewest customers a holdout must have."""

    ece: float = 0.03
    bias: float = 0.10
    buyers: int = 500
    of_each: int = 100


LIMITS = QualityLimits()
