"""Score files of drawn customers, with everything in them that a store must give back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import parquet

from tests import score_files

JUNE, JULY, AUGUST = (dt.date(2024, month, 1) for month in (6, 7, 8))
CODES = ("silent_long", "orders_falling", "complained", "frequent_buyer")
STATUS = {"E": "inactive", "F": "prospect"}


def write(path: Path, n: int = 300, seed: int = 1, as_of: dt.date = JUNE, *, first: int = 0, **how: Any) -> str:
    """Customers `first` to `first + n`, in an order of their own; prospects (F) have no numbers; values have ties."""
    draw = np.random.default_rng(seed)
    number = first + draw.permutation(n)
    tier = draw.choice(list("AABBCCDEF"), n)
    is_known = tier != "F"
    money = np.where(is_known, draw.integers(0, 40, n) * 2.5, np.nan)
    flags = [[bool(flag) if known else None for flag, known in zip(draw.random(n) < 0.3, is_known)] for _ in range(2)]
    reasons = [[str(each) for each in draw.choice(CODES, k, replace=False)] for k in draw.integers(0, 4, n)]
    columns: dict[str, Any] = {
        "status": [STATUS.get(each, "scored") for each in tier],
        "p_churn": np.where(is_known, draw.random(n), np.nan).tolist(),
        "is_borderline": flags[0],
        "disagreement": flags[1],
        "reasons": reasons,
        "action": draw.choice(["check_in", "personal_call"], n).tolist(),
        "model": [f"tiercast/{seed}/abc"] * n,
        "raw_tier": tier.tolist(),
    }
    ids = [f"c-{each:04d} é\"'," if each % 7 == 0 else f"c-{each:04d}" for each in number]
    return score_files.write(path, ids, tier.tolist(), money.tolist(), as_of=as_of, **(columns | how))


def read(path: str) -> list[dict[str, Any]]:
    """The rows of a score file, by id."""
    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return sorted(rows, key=lambda row: row["customer_id"].encode())
