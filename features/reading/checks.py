"""Refuse a table as a whole, with the reason."""

from __future__ import annotations

import datetime

from tiercast.contract import errors
from tiercast.features.reading import columns
from tiercast.features.reading.report import REASONS
from tiercast.features.reading.row_counts import RowCounts, Span
from tiercast.features.reading.validation import TableRules

UNREADABLE_SHARE = 0.2
HINTS = {
    "time": "write times as 2024-01-31 or 2024-01-31T12:30:00, or pass --date-format, or --column {name}=NAME",
    "money": "write amounts as plain numbers like 12.50, or pass --column {name}=NAME",
    "number": "write plain numbers like 12.50, or leave the column out",
}


def cells(counts: RowCounts, rules: TableRules) -> None:
    """Refuse a table whose cells cannot be trusted: ids that are fractions, times of mixed kinds, a wrong column."""
    _refuse_fractional_ids(rules.table, counts)
    _refuse_mixed_zones(rules.table, counts)
    kinds = {column.name: column.kind for column in columns.TABLES[rules.table]}
    for name, n in counts.unread.items():
        n_bad = max(n, counts.reasons.get(f"unparsable_{name}", 0) + counts.reasons.get(f"no_{name}", 0))
        if n_bad > UNREADABLE_SHARE * counts.known and kinds[name] in HINTS:
            raise errors.WrongType(
                f"{name} of the {rules.table} cannot be read in more than {UNREADABLE_SHARE:.0%} of what is known",
                count=n_bad,
                total=counts.known,
                first=f"{name}={counts.first_unread.get(name, '(blank)')}",
                hint=HINTS[kinds[name]].format(name=name),
            )


def transactions(counts: RowCounts, source: str, as_of: datetime.date) -> Span:
    """Refuse transactions that leave no order to count, or that stop too long before `as_of`; return their days."""
    if not counts.rows:
        raise errors.NothingKnown(
            "the table has columns but no rows", first=source, hint="pass a table with at least one purchase"
        )
    if not counts.known:
        raise errors.NothingKnown(
            f"every row is dated on or after as_of={as_of}",
            count=counts.late,
            total=counts.rows,
            first=source,
            hint="choose a later --as-of",
        )
    if counts.span is None:
        raise _useless(counts)
    if not counts.purchases:
        raise errors.NothingKnown(
            "no orders: every amount is negative, and negative amounts are refunds",
            count=counts.kept,
            total=counts.known,
            first=source,
            hint="if refunds are positive in this table, change the sign of amount",
        )
    _refuse_stale(counts.span, as_of)
    return counts.span


def _useless(counts: RowCounts) -> errors.NothingKnown:
    code = max(counts.reasons, key=lambda reason: counts.reasons[reason])
    return errors.NothingKnown(
        f"no row is usable; most have {REASONS[code]}",
        count=counts.known,
        total=counts.known,
        first=counts.firsts[code],
        hint="check the columns: --column customer_id=NAME --column ordered_at=NAME --column amount=NAME",
    )


def _refuse_stale(span: Span, as_of: datetime.date) -> None:
    """A silence longer than all history makes every customer look lost; a wrong date or an old file is more likely."""
    history = (span.last_on - span.first_on).days + 1
    silence = (as_of - span.last_on).days - 1
    if silence > history:
        raise errors.NothingKnown(
            f"nothing is known of the {silence:,} days before {as_of}, longer than all history ({history:,} days)",
            first=f"the newest row is of {span.last_on}",
            hint=f"--as-of {span.last_on + datetime.timedelta(days=1)}, or pass a newer table",
        )


def _refuse_fractional_ids(table: str, counts: RowCounts) -> None:
    if counts.unread.get("customer_id"):
        raise errors.WrongType(
            f"ids of the {table} are numbers that are not whole, so their text is not known",
            count=counts.unread["customer_id"],
            total=counts.known,
            first=f"customer_id={counts.first_unread['customer_id']}",
            hint="write the ids as text, or name another column: --column customer_id=NAME",
        )


def _refuse_mixed_zones(table: str, counts: RowCounts) -> None:
    for name, zones in counts.zones.items():
        local, total = zones["local"], sum(zones.values())
        if local and local < total:
            raise errors.AmbiguousTime(
                f"{name} of the {table} says no zone, while others do, so the day it means is not known",
                count=local,
                total=total,
                first=f"{name}={counts.first_local[name]}",
                hint="write all times with an offset (2024-01-31T12:30:00+01:00), or all without one (taken as UTC)",
            )
