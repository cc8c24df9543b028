"""A base in parts: customers split by a hash of their id, so that memory does not grow with their number.

A base of up to two parts is read in place as one part: copying costs time. A larger base is copied, sorted into parts.
Parts half as large need a third less memory and a few per cent more time.
"""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
from ibis.expr import types as ir

from tiercast.features import buckets, build
from tiercast.features.engines import Engine
from tiercast.features.spec import FeatureSpec
from tiercast.features.tables import Tables

ROWS_PER_PART = 2_500_000
PARTS_IN_PLACE = 2
KNOWN = "known"


def count(rows: int) -> int:
    """The number of parts for that many transactions; 1 where they are read in place.

    >>> [count(rows) for rows in (0, 5_000_000, 5_000_001, 580_000_000)]
    [1, 1, 3, 232]
    """
    n_parts = -(-rows // ROWS_PER_PART)
    return n_parts if n_parts > PARTS_IN_PLACE else 1


def split(engine: Engine, tables: Tables, rows: int) -> int:
    """Store the transactions (`rows` of them) by part if there are several parts; returns the number of parts."""
    n_parts = count(rows)
    if n_parts > 1:
        engine.store(KNOWN, tables.transactions, n_parts)
    return n_parts


def features(
    engine: Engine,
    tables: Tables,
    as_of: dt.date,
    spec: FeatureSpec,
    k: int,
    n_parts: int,
    aggregates: ir.Table | None = None,
) -> pa.Table:
    """The feature table of part `k`, sorted by customer id; from its `aggregates`, where they are given."""
    part = tables._replace(
        customers=_only(tables.customers, k, n_parts), interactions=_only(tables.interactions, k, n_parts)
    )
    if aggregates is None:
        part = part._replace(transactions=lines(engine, tables, k, n_parts))
        found = build.build(part, as_of, spec)
    else:
        found = build.from_aggregates(aggregates, part, as_of, spec)
    return engine.con.to_pyarrow(found.order_by("customer_id"))


def lines(engine: Engine, tables: Tables, k: int, n_parts: int) -> ir.Table:
    """The transactions of part `k`, after `split`."""
    return engine.bucket(KNOWN, k) if n_parts > 1 else tables.transactions


def _only(table: ir.Table | None, k: int, n_parts: int) -> ir.Table | None:
    """The rows of one part's customers."""
    if table is None or n_parts == 1:
        return table
    return table.filter(buckets.assign(table.customer_id, n_parts) == k)
