"""Compiled plans of reading and features, one per as-of day and kept: a request then only runs its plan.

A plan holds the expressions of the batch job (`features.reading.validation`, `features.build`), over tables that have a
schema and no rows yet. It runs on arrays (`features.engines.arrays`), which gives the same values as DuckDB: for one
customer DuckDB takes three times as long, nearly all of it before the first row.
"""

from __future__ import annotations

import collections
import datetime as dt
import threading

import ibis
from ibis.expr import types as ir

from tiercast.features import build
from tiercast.features.engines.arrays import Program
from tiercast.features.reading import (
    columns,
    order_counts,
    times,
    transactions,
    validation,
    values,
)
from tiercast.features.spec import FeatureSpec
from tiercast.features.tables import Tables
from tiercast.serving.online import request_columns

RULES = {
    "transactions": validation.TRANSACTIONS,
    "customers": validation.CUSTOMERS,
    "interactions": validation.INTERACTIONS,
}
FEATURES = "features"
MAX_PLANS = 32
_compiling = threading.Lock()  # Ibis does not promise that two threads may build expressions at once
_plans: collections.OrderedDict[tuple[FeatureSpec, dt.date, bool], Program] = collections.OrderedDict()


def get(spec: FeatureSpec, as_of: dt.date, has_margin: bool) -> Program:
    """The plan of one day, compiled if necessary. A cached one returns at once, also while another is compiled.

    Its tables are `FEATURES`, each input table with the reasons of its rows, and the `findings` of each.
    """
    key = (spec, as_of, has_margin)
    plan = _plans.get(key)
    if plan is not None:
        return plan
    with _compiling:
        if key not in _plans:
            _plans[key] = Program(_expressions(spec, as_of, has_margin))
            if len(_plans) > MAX_PLANS:
                _plans.popitem(last=False)
        return _plans[key]


def has(spec: FeatureSpec, as_of: dt.date, has_margin: bool) -> bool:
    """Whether the plan of that day is compiled. Compiling takes as long as a dozen responses."""
    return (spec, as_of, has_margin) in _plans


def findings(table: str) -> str:
    """The name of the table that counts, per request and reason, the rows of `table`."""
    return f"findings of {table}"


def _expressions(spec: FeatureSpec, as_of: dt.date, has_margin: bool) -> dict[str, ibis.Table]:
    validated = {table: _validated(table, spec, as_of, has_margin) for table in RULES}
    contacts = validation.valid_rows(validated["interactions"])
    purchases = validation.valid_rows(validated["transactions"])
    tables = Tables(
        transactions.canonical(order_counts.per_day(purchases) if spec.counts_orders else purchases),
        _customers(validation.valid_rows(validated["customers"]), spec),
        contacts.select(*validation.known_columns(contacts)) if spec.contact_kinds else None,
    )
    counted = {findings(table): _findings(rows, RULES[table].when or "") for table, rows in validated.items()}
    return {FEATURES: build.build(tables, as_of, spec), **validated, **counted}


def _validated(table: str, spec: FeatureSpec, as_of: dt.date, has_margin: bool) -> ir.Table:
    raw = ibis.table(request_columns.schemas(spec)[table], name=table)
    contract = {column.name for column in columns.TABLES[table]} - (set() if has_margin else {"margin"})
    given = raw.drop("margin") if "margin" in raw.columns and not has_margin else raw
    named = {name: name for name in given.columns if name in contract}
    parsed = validation.parse(given, table, named)
    if table == "transactions" and spec.counts_orders:
        parsed = order_counts.unpriced(parsed)
    return validation.validate(parsed, RULES[table], as_of)


def _customers(kept: ir.Table, spec: FeatureSpec) -> ir.Table:
    """As `features.reading.customers`, with each attribute's kind known from training, not inferred from the column."""
    readers = {"number": values.number, "label": values.label}
    attributes = {a.name: readers[a.kind](kept[validation.OTHER + a.name], a.name).value for a in spec.attributes}
    return kept.select(customer_id=kept["customer_id"], joined_on=kept["joined_on"].cast("date"), **attributes)


def _findings(validated: ir.Table, when: str) -> ir.Table:
    """One row per request and reason (null for rows that count): number of rows, the first of them, their times."""
    request = validated[validation.OTHER + request_columns.REQUEST]
    row = validated[validation.OTHER + request_columns.ROW]
    is_unread = validated[validation.UNREAD + when].notnull()
    is_local = validated[when].notnull() & (validated[validation.ZONE + when] == times.LOCAL)
    return validated.group_by("reason", request=request).aggregate(
        n=validated.count(),
        first=row.min(),
        unread=is_unread.sum(),
        first_unread=row.min(where=is_unread),
        timed=validated[when].count(),
        local=is_local.sum(),
        first_local=row.min(where=is_local),
    )
