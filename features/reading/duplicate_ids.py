"""Customers with more than one row in a table that must have one row per customer."""

from __future__ import annotations

from typing import NamedTuple

import ibis
from ibis.backends.sql import SQLBackend as Backend


class DuplicateIds(NamedTuple):
    """`n` of `total` customers have more than one row; `first` is the smallest of their ids, None without any."""

    n: int
    total: int
    first: str | None


def find(con: Backend, table: ibis.Table) -> DuplicateIds:
    """Count the customers with more than one row of `table`, which has a column `customer_id`."""
    by_id = table.group_by("customer_id").aggregate(n=table.count())
    is_duplicate = by_id.n > 1
    first = ibis.ifelse(is_duplicate, by_id.customer_id, ibis.null("string")).min()
    counts = by_id.aggregate(n=is_duplicate.sum(), total=by_id.count(), first=first)
    row = con.to_pyarrow(counts).to_pylist()[0]
    return DuplicateIds(int(row["n"] or 0), row["total"], row["first"])
