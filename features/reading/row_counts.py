"""Counting what was read: one pass over the judged rows."""

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


class Tally(NamedTuple):
    """Counts of one table. All but `rows` and `late` are of rows known before `as_of`.

    `reasons` and `firsts` are keyed by reason code, `unread` and `first_unread` by column; `zones` counts, per time
    column in text, what the cells say of their zone. `span` is None without kept rows that have a date. `purchases` are
    kept rows whose amount is not negative.
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

    @property
    def known(self) -> int:
        """Rows that are not on or after `as_of`."""
        return self.rows - self.late


def count(con: Backend, judged: ibis.Table, rules: validation.Rules) -> Tally:
    """The counts of one table, in one pass."""
    by_reason = judged.group_by("reason").aggregate(**_measures(judged, rules))
    return _tally(con.to_pyarrow(by_reason).to_pylist(), judged)


def report(table: str, tally: Tally, needed: Collection[str]) -> TableReport:
    """What a reader of the table should know; cells of columns that are not `needed` do not cost their row."""
    late = {LATE: tally.late} if tally.late else {}
    blanked = {name: n for name, n in tally.unread.items() if n and name not in needed}
    return TableReport(table, tally.rows, tally.kept, tally.reasons | late, tally.firsts, blanked)


def _measures(judged: ibis.Table, rules: validation.Rules) -> dict[str, ir.Scalar]:
    quoted = [name for name in rules.needed if name in judged.columns]
    measures = {"n": judged.count(), "first": _smallest(judged["reason"].notnull(), validation.quote(judged, quoted))}
    if rules.when in judged.columns:
        measures |= {"first_at": judged[rules.when].min(), "last_at": judged[rules.when].max()}
    if "amount" in judged.columns:
        measures["purchases"] = (judged["amount"] >= 0).sum()
    for name in _marked(judged, validation.UNREAD):
        unread = judged[validation.UNREAD + name]
        measures |= {f"unread_{name}": unread.count(), f"first_unread_{name}": unread.min()}
    for name in _marked(judged, validation.ZONE):
        measures |= _zones(judged, name)
    return measures


def _zones(judged: ibis.Table, name: str) -> dict[str, ir.Scalar]:
    zone = judged[validation.ZONE + name].nullif(ibis.ifelse(judged[name].isnull(), judged[validation.ZONE + name], ""))
    counts = {f"{kind}_{name}": (zone == kind).sum() for kind in (times.LOCAL, times.UTC, times.MOVED)}
    return counts | {f"first_local_{name}": _smallest(zone == times.LOCAL, judged[name].cast("string"))}


def _smallest(where: ir.BooleanValue, text: ir.Value) -> ir.Scalar:
    """The first text in alphabetical order, which does not depend on the order of rows or threads."""
    return ibis.ifelse(where, text, ibis.null("string")).min()


def _marked(judged: ibis.Table, mark: str) -> list[str]:
    return [name.removeprefix(mark) for name in judged.columns if name.startswith(mark)]


def _tally(rows: Sequence[Row], judged: ibis.Table) -> Tally:
    known = [row for row in rows if row["reason"] != LATE]
    kept = next((row for row in rows if row["reason"] is None), {})
    faults = sorted((row for row in known if row["reason"] is not None), key=lambda row: str(row["reason"]))
    unread, zoned = _marked(judged, validation.UNREAD), _marked(judged, validation.ZONE)
    kinds = (times.LOCAL, times.UTC, times.MOVED)
    return Tally(
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
    )


def _sum(rows: Iterable[Row], name: str) -> int:
    return sum(int(row[name] or 0) for row in rows)


def _firsts(rows: Sequence[Row], prefix: str, names: Iterable[str]) -> dict[str, str]:
    found = {name: [row[prefix + name] for row in rows if row[prefix + name] is not None] for name in names}
    return {name: min(texts) for name, texts in found.items() if texts}
