"""The feature and reading expressions, compiled once per as-of day: a request then only runs them.

They are the very expressions of the batch job (`features.reading.cleaning`, `features.build`) over tables that are
named but not there yet. Compiling takes a good part of a second, running them a few milliseconds.

Reading times from text is a good part of that, so it is done once: what was judged is laid beside the tables as they
came, and the features are built from there.
"""

from __future__ import annotations

import datetime as dt
import functools
import threading
from collections.abc import Iterable
from typing import NamedTuple

import ibis
import pyarrow as pa
from ibis.expr import types as ir

from features import build
from features.reading import cleaning, columns, times, transactions, values
from features.spec import FeatureSpec
from features.tables import Tables
from serving.service import arrivals
from serving.service.desks import Desk

RULES = {"transactions": cleaning.TRANSACTIONS, "customers": cleaning.CUSTOMERS, "interactions": cleaning.INTERACTIONS}
KEPT_DAYS = 32
_compiling = threading.Lock()  # Ibis does not promise that two threads may compile at once


class Plan(NamedTuple):
    """SQL: per table its rows read and judged, what is wrong with them (see `judging`), and the feature table.

    The features, in the order of customer ids, and the findings are asked of what was judged: of `names` and `schemas`.
    """

    features: str
    judged: dict[str, str]
    findings: dict[str, str]
    names: dict[str, str]
    schemas: dict[str, pa.Schema]


@functools.lru_cache(maxsize=KEPT_DAYS)
def of(spec: FeatureSpec, as_of: dt.date, has_margin: bool) -> Plan:
    """The plan for one day. One that is there is given at once, also while another is being compiled."""
    with _compiling:
        return _compiled(spec, as_of, has_margin)


def lay_judged(desk: Desk, plan: Plan, tables: Iterable[str]) -> dict[str, pa.Table]:
    """Read and judge these of the tables laid on the desk, and lay what came of it beside them."""
    desk.make_room({plan.names[table]: schema for table, schema in plan.schemas.items()})
    judged = {table: desk.table(plan.judged[table]) for table in tables}
    desk.lay({plan.names[table]: rows for table, rows in judged.items()})
    return judged


def _compiled(spec: FeatureSpec, as_of: dt.date, has_margin: bool) -> Plan:
    judged = {table: _judged(table, spec, as_of, has_margin) for table in RULES}
    names = {table: f"judged_{table}{'_with_margin' if has_margin else ''}" for table in RULES}
    laid = {table: ibis.table(rows.schema(), name=names[table]) for table, rows in judged.items()}
    contacts = cleaning.kept(laid["interactions"])
    tables = Tables(
        transactions.canonical(cleaning.kept(laid["transactions"])),
        _people(cleaning.kept(judged["customers"]), spec),  # not laid: most callers say no time of a customer
        contacts.select(*cleaning.known_columns(contacts)) if spec.contact_kinds else None,
    )
    return Plan(
        _sql(build.build(tables, as_of, spec).order_by("customer_id")),
        {table: _sql(rows) for table, rows in judged.items()},
        {table: _sql(_findings(rows, RULES[table].when or "")) for table, rows in laid.items()},
        names,
        {table: rows.schema().to_pyarrow() for table, rows in judged.items()},
    )


def _judged(table: str, spec: FeatureSpec, as_of: dt.date, has_margin: bool) -> ir.Table:
    schema = ibis.Schema.from_pyarrow(arrivals.schemas(spec)[table])
    raw = ibis.table(schema, name=table)
    ours = {column.name for column in columns.TABLES[table]} - (set() if has_margin else {"margin"})
    given = raw.drop("margin") if "margin" in raw.columns and not has_margin else raw
    named = {name: name for name in given.columns if name in ours}
    return cleaning.judge(cleaning.parse(given, table, named), RULES[table], as_of)


def _people(kept: ir.Table, spec: FeatureSpec) -> ir.Table:
    """As `features.reading.customers`, with each attribute's kind known from training instead of seen in the column."""
    read = {"number": values.number, "label": values.label}
    attributes = {a.name: read[a.kind](kept[cleaning.OTHER + a.name], a.name).value for a in spec.attributes}
    return kept.select(customer_id=kept["customer_id"], joined_on=kept["joined_on"].cast("date"), **attributes)


def _findings(judged: ir.Table, when: str) -> ir.Table:
    """One row per request and reason, null for the rows that count: how many, the first, what their times are like."""
    request = judged[cleaning.OTHER + arrivals.REQUEST]
    row = judged[cleaning.OTHER + arrivals.ROW]
    is_unread = judged[cleaning.UNREAD + when].notnull()
    is_local = judged[when].notnull() & (judged[cleaning.ZONE + when] == times.LOCAL)
    return judged.group_by("reason", request=request).aggregate(
        n=judged.count(),
        first=row.min(),
        unread=is_unread.sum(),
        first_unread=row.min(where=is_unread),
        timed=judged[when].count(),
        local=is_local.sum(),
        first_local=row.min(where=is_local),
    )


def _sql(expression: ir.Table) -> str:
    return str(ibis.to_sql(expression, dialect="duckdb"))
