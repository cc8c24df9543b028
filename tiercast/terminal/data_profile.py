"""What was read, as a person of the shop would check it: totals, months with a bar, an example, what looks wrong."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tiercast.terminal import console, formatting

if TYPE_CHECKING:
    from tiercast.features.data_profile import Profile
    from tiercast.features.data_profile.summary import Month, Summary

MOST_ROWS, BAR = 24, 24
PERIODS = {"month": 7, "year": 4}
"""The signs of "2024-01" that name the period."""


def print_profile(profile: Profile) -> None:
    """The totals, a table of months (years, where there are many), one row as read, and the findings."""
    for text in _totals(profile.summary):
        console.print_line(text)
    period, rows = _periods(profile.summary.months)
    most = max((row.rows for row in rows), default=0)
    lines = [[row.month, f"{row.rows:,}", formatting.money(row.amount), _bar(row.rows, most)] for row in rows]
    columns = [(period, "left"), ("rows", "right"), ("amount", "right"), ("", "left")]
    console.print_table("What was read", columns, lines)
    example = ", ".join(f"{name}={value}" for name, value in profile.summary.example.items())
    console.print_line(f"as read, the first row: {example}")
    for finding in profile.findings:
        console.print_line(f"* look at this: {finding}")


def _totals(found: Summary) -> list[str]:
    money = formatting.money
    shares = f"{found.largest_share_of_orders:.1%} of orders"
    if found.largest_share_of_amount is not None:
        shares += f" and {found.largest_share_of_amount:.1%} of spending"
    return [
        f"{found.orders:,} orders, {found.rows_per_order:.2f} rows each; {money(found.amount)} in all",
        f"amounts from {money(found.smallest_amount)} to {money(found.largest_amount)}, median "
        f"{money(found.median_amount)}; the largest customer has {shares}",
    ]


def _periods(months: Sequence[Month]) -> tuple[str, list[Month]]:
    """Months, or years where they would be more than 24 rows."""
    period = "month" if len(months) <= MOST_ROWS else "year"
    groups = itertools.groupby(months, key=lambda month: month.month[: PERIODS[period]])
    return period, [_together(name, list(some)) for name, some in groups]


def _together(name: str, months: Sequence[Month]) -> Month:
    return months[0]._replace(month=name, rows=sum(m.rows for m in months), amount=sum(m.amount for m in months))


def _bar(rows: int, most: int) -> str:
    """
    >>> _bar(12, 24), _bar(1, 2400), _bar(0, 24)
    ('████████████', '▏', '')
    """
    return "█" * round(BAR * rows / most) or ("▏" if rows else "") if most else ""
