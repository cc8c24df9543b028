"""Dates that are no dates of purchases: typos far from all others, pauses, days and months that changed places."""

from __future__ import annotations

import datetime as dt
import itertools
import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ibis.expr import types as ir

from tiercast.features.data_profile.findings import Finding
from tiercast.features.data_profile.summary import Month, Summary
from tiercast.features.engines import Engine

EPOCH = dt.date(1970, 1, 1)
FAR_DAYS, FAR_SHARE = 90, 0.005
PAUSE_DAYS, PAUSE_OVER_USUAL = 60, 10
THIN, LEAST_MONTHS = 1 / 50, 6
LEAST_ROWS = 200
USUAL_DAYS, FEW_SHARE, FEW_DAYS = 90, 0.25, 7


class Day(NamedTuple):
    """A day with rows."""

    day: dt.date
    rows: int


def find(engine: Engine, lines: ir.Table, counted: Summary) -> Iterator[Finding]:
    """Findings about time. Days with rows are counted by the engine; there are at most a few thousand."""
    table = lines.group_by("ordered_on").aggregate(rows=lines.count()).order_by("ordered_on")
    days = [Day(row["ordered_on"], row["rows"]) for row in engine.con.to_pyarrow(table).to_pylist()]
    yield from _epoch(days)
    usual = list(_without_strays(days))
    yield from _strays(days, usual)
    yield from _pauses(usual)
    yield from _thin_months(counted.months)
    yield from _swapped(days)
    yield from _thin_end(usual)


def _epoch(days: Sequence[Day]) -> Iterator[Finding]:
    n = sum(each.rows for each in days if each.day == EPOCH)
    if n and len(days) > 1:
        yield Finding(
            "epoch_date",
            f"{n:,} of {_rows(days):,} rows are dated 1970-01-01, as a missing time often is",
            "blank these dates in the file; such rows are then dropped and counted",
        )


def _without_strays(days: Sequence[Day]) -> Sequence[Day]:
    """The days without few rows beyond a gap of more than 90 days at either end."""
    few = FAR_SHARE * _rows(days)
    for ends in range(2):
        ordered = list(days)[:: -1 if ends else 1]
        beyond = 0
        for at, (one, other) in enumerate(itertools.pairwise(ordered)):
            beyond += one.rows
            if beyond > few:
                break
            if abs((other.day - one.day).days) > FAR_DAYS:
                ordered = ordered[at + 1 :]
                break
        days = ordered[:: -1 if ends else 1]
    return days


def _strays(days: Sequence[Day], usual: Sequence[Day]) -> Iterator[Finding]:
    first, last = usual[0].day, usual[-1].day
    early, late = ([each for each in days if each.day < first], [each for each in days if each.day > last])
    if late:
        yield Finding(
            "late_stray",
            f"{_rows(late):,} of {_rows(days):,} rows are dated far after all others "
            f"(first: {late[0].day}; the others end on {last})",
            f"mend the dates, or pass --as-of {last + dt.timedelta(1)}: what is dated later is then not looked at",
        )
    if early and early[0].day != EPOCH:
        yield Finding(
            "early_stray",
            f"{_rows(early):,} of {_rows(days):,} rows are dated far before all others "
            f"(first: {early[0].day}; the others begin on {first})",
            "mend the dates or leave the rows out: history would seem to begin with them",
        )


def _pauses(days: Sequence[Day]) -> Iterator[Finding]:
    gaps = [((after.day - before.day).days, before.day, after.day) for before, after in itertools.pairwise(days)]
    usual = statistics.median(gap for gap, *_ in gaps) if gaps else 0
    for gap, before, after in gaps:
        if gap > max(PAUSE_DAYS, PAUSE_OVER_USUAL * usual):
            start, end = before + dt.timedelta(1), after - dt.timedelta(1)
            yield Finding(
                "pause",
                f"no orders from {start} to {end} ({gap - 1} days)",
                "if rows are missing, add them; a pause of the shop is no window to learn from",
            )


def _thin_months(months: Sequence[Month]) -> Iterator[Finding]:
    inner = months[1:-1]
    if len(inner) < LEAST_MONTHS:
        return
    usual = statistics.median(month.rows for month in inner)
    thin = [month for month in inner if 0 < month.rows < THIN * usual]
    if thin:
        yield Finding(
            "thin_month",
            f"{len(thin)} of {len(inner)} months have less than a fiftieth of the usual rows "
            f"(first: {thin[0].month}, {thin[0].rows:,})",
            "rows may be missing, or day and month may have changed places in some",
        )


def _swapped(days: Sequence[Day]) -> Iterator[Finding]:
    span = (days[-1].day - days[0].day).days
    if _rows(days) >= LEAST_ROWS and span > 60 and max(each.day.day for each in days) <= 12:
        yield Finding(
            "no_day_after_the_twelfth",
            f"none of {_rows(days):,} rows is dated after the 12th of a month",
            "day and month have probably changed places: write dates as 2024-01-31",
        )


def _thin_end(days: Sequence[Day]) -> Iterator[Finding]:
    """The newest days with far fewer rows than usual: the export may have been cut, or orders still come in."""
    last = days[-1].day
    recent = [each for each in days if (last - each.day).days < USUAL_DAYS]
    if len(recent) < 30:
        return
    usual = statistics.median(each.rows for each in recent)
    busy = max(each.day for each in recent if each.rows >= FEW_SHARE * usual)
    if (last - busy).days >= FEW_DAYS:
        yield Finding(
            "thin_end",
            f"since {busy} every day has less than a quarter of the usual {usual:,.0f} rows",
            f"if rows are still missing, pass --as-of {busy + dt.timedelta(1)}",
        )


def _rows(days: Sequence[Day]) -> int:
    return sum(each.rows for each in days)
