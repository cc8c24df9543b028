"""The reasons that customers get, from contributions per feature."""

from __future__ import annotations

import numpy as np

from tiercast.contract.vectors import Vector
from tiercast.tiers import families, grid, reasons
from tiercast.tiers.rules import NONE

TYPICAL = {"order_value_mean": 40.0}


def choose(
    contributions: dict[str, Vector],
    features: dict[str, Vector],
    p_churn: Vector,
    cut: float = 0.5,
    typical: dict[str, float] = TYPICAL,
) -> list[list[str]]:
    """The codes of every customer of C or D, from contributions per feature, without reasons for their value."""
    by_family: dict[str, Vector] = {}
    for feature, column in contributions.items():
        family = families.family_of(feature)
        if family is not None:
            by_family[family] = by_family.get(family, np.zeros(len(p_churn))) + column
    tiers = grid.numbers(np.where(p_churn > cut, "D", "C"))
    codes = reasons.choose(by_family, features, tiers, np.full(len(tiers), NONE, np.int16), typical=typical)
    found: list[list[str]] = reasons.as_lists(codes).to_pylist()
    return found


def one(contributions: dict[str, float], known: dict[str, float], p_churn: float) -> list[str]:
    """The reasons of a single customer."""
    given_, about = ({name: np.array([x]) for name, x in side.items()} for side in (contributions, known))
    return choose(given_, about, np.array([p_churn]))[0]
