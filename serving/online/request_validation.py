"""Validate the rows of requests: refuse what cannot be read, and count the rows that are left out.

A batch job drops unreadable rows, counts them and reports them to its operator. A request has no such report, so its
first unreadable row is refused with its place. Only rows on or after `as_of` are dropped, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tiercast.contract import errors
from tiercast.features.engines.arrays import InputTable, Results
from tiercast.features.engines.arrays import column as columns
from tiercast.features.reading import times, validation
from tiercast.features.reading.report import LATE, REASONS
from tiercast.serving.online import plan_cache, request_columns
from tiercast.serving.online.requests import ScoreRequest

Finding = Mapping[str, Any]
"""One row of `plan_cache.findings`."""
Dropped = dict[str, int]
"""How many rows of a table were left out, by reason."""
TIME_HINT = "write times as 2024-01-31 or 2024-01-31T12:30:00Z"


def validate(
    requests: Sequence[ScoreRequest], tables: Mapping[str, InputTable], results: Results
) -> list[dict[str, Dropped] | errors.TiercastError]:
    """Per request the rows that each table drops, or the error that refuses it.

    `results` are those of the day's plan on `tables`. Findings are computed only where some row is not plain; a table
    without any time has only plain rows.
    """
    findings: dict[str, list[Finding]] = {table: [] for table in plan_cache.RULES}
    for table, rules in plan_cache.RULES.items():
        if columns.any_known(tables[table].columns[str(rules.when)]) and not is_plain(results, table):
            findings[table] = list(results.rows(plan_cache.findings(table)))
    return [_validate_one(request, number, findings) for number, request in enumerate(requests)]


def is_plain(results: Results, table: str) -> bool:
    """Whether every row counts and all times state their zone in the same way, so that there are no findings."""
    when = plan_cache.RULES[table].when or ""
    if any(columns.any_known(results.column(table, name)) for name in ("reason", validation.UNREAD + when)):
        return False
    is_timed = results.column(table, when).known
    is_local = results.column(table, validation.ZONE + when).values == times.LOCAL
    n_local = np.count_nonzero(is_local if is_timed is None else is_local & is_timed)
    return n_local in (0, results.n_rows(table) if is_timed is None else np.count_nonzero(is_timed))


def check(request: ScoreRequest, table: str, findings: Sequence[Finding]) -> Dropped:
    """The rows dropped, by reason. Raises `WrongType` and `AmbiguousTime`.

    `findings` are those of this request in that table, one per reason; none where all rows are plain.
    """
    counting = sorted((row for row in findings if row["reason"] != LATE), key=lambda row: row["first"])
    when = plan_cache.RULES[table].when or ""
    for row in counting:
        if row["reason"] is not None:
            raise _unreadable(request, table, REASONS[row["reason"]], row["n"], row["first"])
        if row["unread"]:
            raise _unreadable(request, table, f"{when}: a date that cannot be read", row["unread"], row["first_unread"])
    _refuse_mixed_zones(request, table, counting)
    n_late = sum(row["n"] for row in findings) - sum(row["n"] for row in counting)
    return {LATE: n_late} if n_late else {}


def _validate_one(
    request: ScoreRequest, number: int, findings: Mapping[str, Sequence[Finding]]
) -> dict[str, Dropped] | errors.TiercastError:
    ours = {table: [row for row in rows if row["request"] == number] for table, rows in findings.items()}
    try:
        return {table: check(request, table, rows) for table, rows in ours.items()}
    except errors.TiercastError as error:
        return error


def _refuse_mixed_zones(request: ScoreRequest, table: str, findings: Sequence[Finding]) -> None:
    n_local, n_timed = (sum(int(row[name] or 0) for row in findings) for name in ("local", "timed"))
    if 0 < n_local < n_timed:
        raise errors.AmbiguousTime(
            f"a time of the {table} says no zone, while others do, so the day it means is not known",
            count=n_local,
            total=n_timed,
            first=request_columns.path(request, table, min(row["first_local"] for row in findings if row["local"])),
            hint="write all times with an offset (2024-01-31T12:30:00+01:00), or all without one (taken as UTC)",
        )


def _unreadable(request: ScoreRequest, table: str, what: str, count: int, first: int) -> errors.WrongType:
    path = request_columns.path(request, table, first)
    total = sum(len(getattr(customer, table)) for customer in request.customers) if table != "customers" else None
    return errors.WrongType(
        what, count=int(count), total=total, first=path, hint=f"{TIME_HINT}, amounts as numbers below 10^11"
    )
