"""The reading and feature expressions, compiled once per as-of day: a request then only runs them.

They are the very expressions of the batch job (`features.reading.cleaning`, `features.build`) over tables that are
named but not there yet. They run on arrays (`features.engines.arrays`), which gives what DuckDB gives: for one customer
DuckDB needs three times as long, nearly all of it before it looks at the first row.
"""

from __future__ import annotations

import collections
import datetime as dt
import threading

import ibis
from ibis.expr import types as ir

from tiercast.features import build
from tiercast.features.engines.arrays import Program
from tiercast.features.reading import cleaning, columns, times, transactions, values
from tiercast.features.spec import FeatureSpec
from tiercast.features.tables import Tables
from tiercast.serving.online import request_columns

RULES = {"transactions": cleaning.TRANSACTIONS, "customers": cleaning.CUSTOMERS, "interactions": cleaning.INTERACTIONS}
FEATURES = "features"
KEPT_DAYS = 32
_compiling = threading.Lock()  # Ibis does not promise that two threads may build expressions at once
_plans: collections.OrderedDict[tuple[FeatureSpec, dt.date, bool], Program] = collections.OrderedDict()


def of(spec: FeatureSpec, as_of: dt.date, has_margin: bool) -> Program:
    """The plan for one day. One that is there is given at once, also while another is being compiled.

    Beside `FEATURES` it has each of the three tables as it was judged, for `judging.is_plain`, and its `findings`.
    """
    key = (spec, as_of, has_margin)
    found = _plans.get(key)
    if found is not None:
        return found
    with _compiling:
        if key not in _plans:
            _plans[key] = Program(_expressions(spec, as_of, has_margin))
            if len(_plans) > KEPT_DAYS:
                _plans.popitem(last=False)
        return _plans[key]


def is_ready(spec: FeatureSpec, as_of: dt.date, has_margin: bool) -> bool:
    """Whether a request for that day finds its plan. Compiling one takes as long as a dozen answers."""
    return (spec, as_of, has_margin) in _plans


def findings(table: str) -> str:
    """The name of what is found in a table."""
    return f"findings of {table}"


def _expressions(spec: FeatureSpec, as_of: dt.date, has_margin: bool) -> dict[str, ibis.Table]:
    judged = {table: _judged(table, spec, as_of, has_margin) for table in RULES}
    contacts = cleaning.kept(judged["interactions"])
    tables = Tables(
        transactions.canonical(cleaning.kept(judged["transactions"])),
        _people(cleaning.kept(judged["customers"]), spec),
        contacts.select(*cleaning.known_columns(contacts)) if spec.contact_kinds else None,
    )
    found = {findings(table): _findings(rows, RULES[table].when or "") for table, rows in judged.items()}
    return {FEATURES: build.build(tables, as_of, spec), **judged, **found}


def _judged(table: str, spec: FeatureSpec, as_of: dt.date, has_margin: bool) -> ir.Table:
    raw = ibis.table(request_columns.schemas(spec)[table], name=table)
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
    request = judged[cleaning.OTHER + request_columns.REQUEST]
    row = judged[cleaning.OTHER + request_columns.ROW]
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
