"""Tiers set by hand. An override replaces the computed tier on every as_of before its `until`."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tiercast.contract import errors
from tiercast.contract.vectors import Text
from tiercast.tiers import grid

Ids: TypeAlias = Sequence[str] | NDArray[np.object_] | Text | pa.Array | pa.ChunkedArray


class Override(NamedTuple):
    """One decision: the customer is in this tier on every as_of before `until`."""

    customer_id: str
    tier: str
    until: datetime.date


class Applied(NamedTuple):
    """The tiers after the overrides. Rows are applied, expired, superseded, or of unknown customers."""

    tiers: Text
    applied: int
    expired: int
    superseded: int
    unknown: tuple[str, ...]


def apply(tiers: Text, customer_ids: Ids, overrides: Iterable[Override], as_of: datetime.date) -> Applied:
    """A copy of the tiers with every override that is in force.

    On the day `until` itself the computed tier is back. If a customer has several overrides, the one that lasts longest
    counts, in any order of rows; two that last equally long must agree. `unknown` are the customers with an override in
    force that are not in the table, sorted. Raises `BadInput` for an unknown tier or a contradiction.

    >>> given = [Override("c1", "A", datetime.date(2024, 7, 1)), Override("c9", "A", datetime.date(2024, 7, 1))]
    >>> apply(np.array(["D", "D"]), ["c1", "c2"], given, datetime.date(2024, 6, 30))
    Applied(tiers=array(['A', 'D'], dtype='<U1'), applied=1, expired=0, superseded=0, unknown=('c9',))
    """
    rows = list(overrides)
    _refuse_letters(rows)
    in_force = [row for row in rows if as_of < row.until]
    lasting = _longest(in_force)
    unknown, changed = _put(tiers, customer_ids, lasting)
    return Applied(
        changed,
        applied=len(lasting) - len(unknown),
        expired=len(rows) - len(in_force),
        superseded=len(in_force) - len(lasting),
        unknown=unknown,
    )


def _put(tiers: Text, customer_ids: Ids, lasting: dict[str, Override]) -> tuple[tuple[str, ...], Text]:
    ids = sorted(lasting)
    table = (
        customer_ids if isinstance(customer_ids, (pa.Array, pa.ChunkedArray)) else pa.array(customer_ids, pa.string())
    )
    which = pc.index_in(table.cast(pa.string()), value_set=pa.array(ids, pa.string())).fill_null(-1).to_numpy()
    letters = np.array([lasting[name].tier for name in ids] + [""], dtype="<U1")
    seen = set(which.tolist())
    return tuple(name for i, name in enumerate(ids) if i not in seen), np.where(which >= 0, letters[which], tiers)


def _longest(rows: list[Override]) -> dict[str, Override]:
    lasting: dict[str, Override] = {}
    for row in rows:
        other = lasting.setdefault(row.customer_id, row)
        if row.until == other.until and row.tier != other.tier:
            raise errors.BadInput(
                "two overrides for one customer last equally long and disagree.",
                first=f"{row.customer_id}: {other.tier} and {row.tier} until {row.until}",
                hint="delete one of the two rows from the overrides table.",
            )
        if row.until > other.until:
            lasting[row.customer_id] = row
    return lasting


def _refuse_letters(rows: list[Override]) -> None:
    wrong = [row for row in rows if row.tier not in grid.TIERS]
    if wrong:
        raise errors.BadInput(
            "the tier is none of A, B, C, D, E, F.",
            count=len(wrong),
            total=len(rows),
            unit="overrides",
            first=f"customer {wrong[0].customer_id}, tier {wrong[0].tier!r}",
            hint="write one capital letter in the tier column of the overrides table.",
        )
