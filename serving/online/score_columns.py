"""Scores as plain Python values, column by column: what an answer is made of, without a table in between."""

from __future__ import annotations

from typing import Any

import numpy as np

from tiercast.contract.vectors import Mask, Vector
from tiercast.models.bundle import Bundle
from tiercast.models.frame import Frame
from tiercast.serving import score
from tiercast.tiers import actions, families, grid

_STATUS = dict(zip(grid.TIERS, score.STATUSES, strict=True))


def columns(bundle: Bundle, frame: Frame) -> dict[str, list[Any]]:
    """The columns of `score.score` without ids, in its order: for each the list that its `to_pylist` gives."""
    p = score.predicted(bundle, frame, "all")
    why = score.codes(bundle, p, "all")
    tiers: list[str] = p.tiers.tolist()
    playbook = actions.table()
    found: dict[str, list[Any]] = _numbers(score.numbers(p)) | {
        "as_of": [bundle.about.as_of] * len(tiers),
        "tier": tiers,
        "status": [_STATUS[tier] for tier in tiers],
        **{name: _known(flag, p.value) for name, flag in score.flags(p)},
        "reasons": [[families.CODES[code] for code in row if code >= 0] for row in why.tolist()],
        "action": [playbook[cell] for cell in actions.cells(grid.numbers(p.tiers), why[:, 0]).tolist()],
        "model": [bundle.about.model] * len(tiers),
        "raw_tier": tiers,
    }
    return {name: found[name] for name in score.schema(bundle).names if name != "customer_id"}


def _numbers(numbers: dict[str, Vector]) -> dict[str, list[Any]]:
    together = np.array(list(numbers.values()))
    lists: list[list[Any]] = together.tolist()
    for row in np.flatnonzero(np.isnan(together).any(axis=1)).tolist():
        lists[row] = [None if value != value else value for value in lists[row]]
    return dict(zip(numbers, lists, strict=True))


def _known(flag: Mask, value: Vector) -> list[bool | None]:
    is_unknown = np.isnan(value)
    listed: list[bool | None] = flag.tolist()
    for row in np.flatnonzero(is_unknown).tolist():
        listed[row] = None
    return listed
