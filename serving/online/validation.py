"""Refuse a request with rows that cannot be read; count those that are not to be looked at.

A file's odd rows are dropped, counted and shown to whoever runs the job. A request has nobody who reads a report, so
here the first such row is refused with its place; only rows on or after `as_of` are dropped, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tiercast.contract import errors
from tiercast.features.engines.arrays import Answers
from tiercast.features.engines.arrays import column as columns
from tiercast.features.reading import cleaning, times
from tiercast.features.reading.report import LATE, REASONS
from tiercast.serving.online import plan_cache, request_columns
from tiercast.serving.online.requests import ScoreRequest

Row = Mapping[str, Any]
TIME_HINT = "write times as 2024-01-31 or 2024-01-31T12:30:00Z"


def is_plain(answers: Answers, table: str) -> bool:
    """Whether every row counts and every time is written in the same way, so that there is nothing to find."""
    when = plan_cache.RULES[table].when or ""
    if any(columns.says(answers.column(table, name)) for name in ("reason", cleaning.UNREAD + when)):
        return False
    is_timed = answers.column(table, when).known
    is_local = answers.column(table, cleaning.ZONE + when).values == times.LOCAL
    n_local = np.count_nonzero(is_local if is_timed is None else is_local & is_timed)
    return n_local in (0, answers.n_rows(table) if is_timed is None else np.count_nonzero(is_timed))


def check(request: ScoreRequest, table: str, found: Sequence[Row]) -> dict[str, int]:
    """The rows dropped, by reason. Raises `WrongType` and `AmbiguousTime`.

    `found` has one row per reason, as `plans.Plan.findings` gives them; none where all is plain.
    """
    known = [row for row in found if row["reason"] != LATE]
    when = plan_cache.RULES[table].when or ""
    for row in known:
        if row["reason"] is not None:
            raise _unreadable(request, table, REASONS[row["reason"]], row["n"], row["first"])
        if row["unread"]:
            raise _unreadable(request, table, f"{when}: a date that cannot be read", row["unread"], row["first_unread"])
    _refuse_mixed_zones(request, table, known)
    late = sum(row["n"] for row in found) - sum(row["n"] for row in known)
    return {LATE: late} if late else {}


def _refuse_mixed_zones(request: ScoreRequest, table: str, known: Sequence[Row]) -> None:
    n_local, n_timed = (sum(int(row[name] or 0) for row in known) for name in ("local", "timed"))
    if 0 < n_local < n_timed:
        raise errors.AmbiguousTime(
            f"a time of the {table} says no zone, while others do, so the day it means is not known",
            count=n_local,
            total=n_timed,
            first=request_columns.place(request, table, min(row["first_local"] for row in known if row["local"])),
            hint="write all times with an offset (2024-01-31T12:30:00+01:00), or all without one (taken as UTC)",
        )


def _unreadable(request: ScoreRequest, table: str, what: str, count: int, first: int) -> errors.WrongType:
    place = request_columns.place(request, table, first)
    total = sum(len(getattr(customer, table)) for customer in request.customers) if table != "customers" else None
    return errors.WrongType(
        what, count=int(count), total=total, first=place, hint=f"{TIME_HINT}, amounts as numbers below 10^11"
    )
