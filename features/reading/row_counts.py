"""Count the rows of a table, in one pass over the validated rows."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import ibis
from ibis.backends.sql import SQLBackend as Backend
from ibis.expr import types as ir

from tiercast.features.reading import times, validation
from tiercast.features.reading.report import LATE, TableReport

Row = dict[str, Any]


class Span(NamedTuple):
    """The first and the last day of the kept rows."""

    first_on: datetime.date
    last_on: datetime.date


class RowCounts(NamedTuple):
    """Counts of one table. All but `rows` and `late` are of rows known before `as_of`.

    `reasons` and `firsts` are keyed by reason code, `unread` and `first_unread` by column. `zones` counts the kinds of
    zone per time column in text. `span` is None without a kept row that has a date. `purchases` are kept rows whose
    amount is not negative. `dropped_money` and `known_money` add the sizes of amounts, refunds too, of known rows.
    """

    rows: int
    late: int
    kept: int
    reasons: dict[str, int]
    firsts: dict[str, str]
    unread: dict[str, int]
    first_unread: dict[str, str]
    zones: dict[str, dict[str, int]]
    first_local: dict[str, str]
    span: Span | None
    purchases: int
    dropped_money: float
    known_money: float

    @property
    def known(self) -> int:
        """Rows that are not on or after `as_of`."""
        return self.rows - self.late


def count(con: Backend, validated: ibis.Table, rules: validation.TableRules) -> RowCounts:
    """The counts of one table, in one pass."""
    by_reason = validated.group_by("reason").aggregate(**_measures(validated, rules))
    return _from_rows(con.to_pyarrow(by_reason).to_pylist(), validated)


def report(table: str, counts: RowCounts, needed: Collection[str], read_as: tuple[str, ...]) -> TableReport:
    """The report of a table. An unreadable cell of a column that is not `needed` is counted as blanked."""
    late = {LATE: counts.late} if counts.late else {}
    blanked = {name: n for name, n in counts.unread.items() if n and name not in needed}
    share = counts.dropped_money / counts.known_money if counts.known_money else None
    return TableReport(table, counts.rows, counts.kept, counts.reasons | late, counts.firsts, blanked, read_as, share)


def _measures(validated: ibis.Table, rules: validation.TableRules) -> dict[str, ir.Scalar]:
    quoted = [name for name in rules.needed if name in validated.columns]
    measures = {
        "n": validated.count(),
        "first": _smallest(validated["reason"].notnull(), validation.describe_row(validated, quoted)),
    }
    if rules.when in validated.columns:
        measures |= {"first_at": validated[rules.when].min(), "last_at": validated[rules.when].max()}
    if "amount" in validated.columns:
        measures["purchases"] = (validated["amount"] >= 0).sum()
        measures["money"] = validated["amount"].abs().sum().cast("float64")
    for name in _marked(validated, validation.UNREAD):
        unread = validated[validation.UNREAD + name]
        measures |= {f"unread_{name}": unread.count(), f"first_unread_{name}": unread.min()}
    for name in _marked(validated, validation.ZONE):
        measures |= _zones(validated, name)
    return measures


def _zones(validated: ibis.Table, name: str) -> dict[str, ir.Scalar]:
    zone = validated[validation.ZONE + name].nullif(
        ibis.ifelse(validated[name].isnull(), validated[validation.ZONE + name], "")
    )
    counts = {f"{kind}_{name}": (zone == kind).sum() for kind in (times.LOCAL, times.UTC, times.MOVED)}
    return counts | {f"first_local_{name}": _smallest(zone == times.LOCAL, validated[name].cast("string"))}


def _smallest(where: ir.BooleanValue, text: ir.Value) -> ir.Scalar:
    """The smallest text: it does not depend on the order of rows or threads."""
    return ibis.ifelse(where, text, ibis.null("string")).min()


def _marked(validated: ibis.Table, mark: str) -> list[str]:
    return [name.removeprefix(mark) for name in validated.columns if name.startswith(mark)]


def _from_rows(rows: Sequence[Row], validated: ibis.Table) -> RowCounts:
    known = [row for row in rows if row["reason"] != LATE]
    kept = next((row for row in rows if row["reason"] is None), {})
    faults = sorted((row for row in known if row["reason"] is not None), key=lambda row: str(row["reason"]))
    unread, zoned = _marked(validated, validation.UNREAD), _marked(validated, validation.ZONE)
    kinds = (times.LOCAL, times.UTC, times.MOVED)
    return RowCounts(
        rows=sum(row["n"] for row in rows),
        late=sum(row["n"] for row in rows) - sum(row["n"] for row in known),
        kept=kept.get("n", 0),
        reasons={row["reason"]: row["n"] for row in faults},
        firsts={row["reason"]: row["first"] for row in faults},
        unread={name: _sum(known, f"unread_{name}") for name in unread},
        first_unread=_firsts(known, "first_unread_", unread),
        zones={name: {kind: _sum(known, f"{kind}_{name}") for kind in kinds} for name in zoned},
        first_local=_firsts(known, "first_local_", zoned),
        span=Span(kept["first_at"].date(), kept["last_at"].date()) if kept.get("first_at") else None,
        purchases=kept.get("purchases") or 0,
        dropped_money=sum(row.get("money") or 0.0 for row in faults),
        known_money=sum(row.get("money") or 0.0 for row in known),
    )


def _sum(rows: Iterable[Row], name: str) -> int:
    return sum(int(row[name] or 0) for row in rows)


def _firsts(rows: Sequence[Row], prefix: str, names: Iterable[str]) -> dict[str, str]:
    found = {name: [row[prefix + name] for row in rows if row[prefix + name] is not None] for name in names}
    return {name: min(texts) for name, texts in found.items() if texts}
