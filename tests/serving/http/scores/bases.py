"""Customers to publish, and a store on each database with two generations of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests import score_files

JUNE, JULY = dt.date(2024, 6, 1), dt.date(2024, 7, 1)
CODES = ("silent_long", "one_order_only", "irregular_buyer")
NAN = float("nan")


class Base(NamedTuple):
    """A published file and the columns it was written from."""

    path: Path
    as_of: dt.date
    columns: dict[str, list[Any]]

    def row(self, customer_id: str) -> dict[str, Any]:
        at = self.columns["customer_id"].index(customer_id)
        return {name: column[at] for name, column in self.columns.items()}


def ids(n: int) -> list[str]:
    """Like real ones, with some that a database or a spreadsheet might take for something else."""
    odd = [
        "=cmd|' /C calc'!A0",
        "+49 30 901820",
        "-7",
        "@ann",
        "007",
        "Zoë",
        "o'brien; DROP TABLE scores;--",
        "%_",
        "李雷",
    ]
    return [*odd, *(f"c-{number:05d}" for number in range(n - len(odd)))]


def write(path: Path, customer_id: list[str], as_of: dt.date, seed: int) -> Base:
    """Random but repeatable scores: numbers with many digits, ties, prospects without any."""
    drawn, n = np.random.default_rng(seed), len(customer_id)
    tier = drawn.choice(list("ABCDEF"), n).tolist()
    is_prospect = np.array(tier) == "F"
    value = np.where(is_prospect, NAN, np.round(drawn.gamma(2.0, 50.0, n), 1)).tolist()  # one digit: there are ties
    p_churn = np.where(is_prospect, NAN, drawn.random(n)).tolist()
    status = [{"E": "inactive", "F": "prospect"}.get(letter, "scored") for letter in tier]
    reasons = [list(drawn.permutation(CODES)[: drawn.integers(0, 4)]) for _ in range(n)]
    columns: dict[str, list[Any]] = {
        "customer_id": customer_id,
        "tier": tier,
        "status": status,
        "value": value,
        "p_churn": p_churn,
        "reasons": [[str(code) for code in codes] for codes in reasons],
        "action": drawn.choice(["personal_call", "let_rest"], n).tolist(),
        "model": ["tiercast/1/abc"] * n,
        "is_borderline": drawn.choice([True, False], n).tolist(),
    }
    rest: dict[str, Any] = dict(columns)
    score_files.write(path, as_of=as_of, **rest)
    return Base(path, as_of, columns)
