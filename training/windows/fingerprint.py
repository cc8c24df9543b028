"""The identity of the training data: a short digest, equal for the same known rows in any order."""

from __future__ import annotations

import hashlib

import ibis

from tiercast.features import exact
from tiercast.features.engines import Engine
from tiercast.features.tables import Tables


def digest(engine: Engine, tables: Tables) -> str:
    """Rows, customers, days and money, hashed: 16 hex digits. Equal tables give equal digests."""
    t = tables.transactions
    day = exact.day_number(t.ordered_on)
    counts = t.aggregate(
        rows=t.count(),
        customers=t.customer_id.nunique(),
        first=day.min(),
        last=day.max(),
        days=day.sum(),
        money=exact.decimal(t.money).sum().cast("string"),
        weighted=exact.decimal(t.money * (day % 97 + 1)).sum().cast("string"),
    )
    row = engine.con.to_pyarrow(counts).to_pylist()[0]
    ids = t.select("customer_id").distinct().aggregate(lengths=ibis._.customer_id.length().sum())
    row |= engine.con.to_pyarrow(ids).to_pylist()[0]
    return hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest()[:16]
