"""Customer ids that are no customers: placeholders, numbers that a spreadsheet has rounded, spellings of one id."""

from __future__ import annotations

from collections.abc import Iterator

from ibis.expr import types as ir

from tiercast.features.data_profile.findings import Finding
from tiercast.features.engines import Engine
from tiercast.features.tables import Tables

PLACEHOLDERS = (
    "null", "none", "nil", "nan", "na", "n/a", "#n/a", "#ref!", "#value!", "<na>", "-", "--", "?", "0", "-1", "unknown",
    "guest", "walk-in", "walkin", "walk in", "anonymous", "cash", "cash sale", "test", "dummy", "default", "undefined",
)  # fmt: skip
ROUNDED = r"^[0-9](\.[0-9]+)?[eE]\+?[0-9]+$"
DECIMAL = r"^[0-9]+\.0+$"
MOSTLY = 0.9


def find(engine: Engine, tables: Tables) -> Iterator[Finding]:
    """Findings about the ids of the transactions, and of the customers table where there is one."""
    lines = tables.transactions
    by_id = lines.group_by("customer_id").aggregate(rows=lines.count())
    yield from _placeholders(engine, by_id)
    yield from _written_by_spreadsheets(engine, by_id)
    yield from _spellings(engine, by_id)
    if tables.customers is not None:
        yield from _unmatched(engine, lines, tables.customers)


def _placeholders(engine: Engine, by_id: ir.Table) -> Iterator[Finding]:
    plain = by_id.customer_id.strip().lower()
    rows = by_id.filter(plain.isin(PLACEHOLDERS)).order_by("customer_id")
    found = engine.con.to_pyarrow(rows).to_pylist()
    if found:
        n, total = sum(row["rows"] for row in found), engine.con.to_pyarrow(by_id.rows.sum()).as_py()
        yield Finding(
            "placeholder_id",
            f"{n:,} of {total:,} rows have a customer id that looks like a placeholder "
            f"(first: {found[0]['customer_id']!r})",
            "if it stands for many people, blank it in the file; such rows are then dropped and counted",
        )


def _written_by_spreadsheets(engine: Engine, by_id: ir.Table) -> Iterator[Finding]:
    kinds = {
        "rounded_id": (ROUNDED, "are numbers in scientific form, as spreadsheets round them", "export the ids as text"),
        "decimal_id": (DECIMAL, "end in .0, and match no table in which they do not", "write them as whole numbers"),
    }
    for code, (pattern, what, hint) in kinds.items():
        some = by_id.filter(by_id.customer_id.re_search(pattern))
        found = engine.con.to_pyarrow(some.aggregate(n=some.count(), first=some.customer_id.min())).to_pylist()[0]
        if found["n"]:
            total = engine.con.to_pyarrow(by_id.count()).as_py()
            yield Finding(code, f"{found['n']:,} of {total:,} customer ids {what} (first: {found['first']!r})", hint)


def _spellings(engine: Engine, by_id: ir.Table) -> Iterator[Finding]:
    plain = by_id.group_by(plain=by_id.customer_id.strip().lower()).aggregate(
        n=by_id.count(), first=by_id.customer_id.min(), last=by_id.customer_id.max()
    )
    twice = plain.filter(plain.n > 1)
    found = engine.con.to_pyarrow(twice.order_by("plain").limit(1)).to_pylist()
    if found:
        n = engine.con.to_pyarrow(twice.count()).as_py()
        yield Finding(
            "spelled_differently",
            f"{n:,} customer ids differ from another one only in case or blanks "
            f"(first: {found[0]['first']!r} and {found[0]['last']!r})",
            "they count as different customers; write each id in one way",
        )


def _unmatched(engine: Engine, lines: ir.Table, customers: ir.Table) -> Iterator[Finding]:
    without = customers.anti_join(lines, "customer_id")
    n, total = (engine.con.to_pyarrow(table.count()).as_py() for table in (without, customers))
    if total and n >= MOSTLY * total:
        first = engine.con.to_pyarrow(without.customer_id.min()).as_py()
        yield Finding(
            "customers_without_orders",
            f"{n:,} of {total:,} customers in the table have no order (first: {first!r})",
            "check that both tables write the ids alike: 13085 is not 13085.0, and 007 is not 7",
        )
