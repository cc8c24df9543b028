"""Ids like the one that was asked for: most unknown ids are a slip of the keyboard or another spelling."""

from __future__ import annotations

import ibis

from tiercast.features import orders
from tiercast.features.engines import Engine
from tiercast.features.reading import Reading

AT_MOST = 3


def find(engine: Engine, read: Reading, customer_id: str) -> list[str]:
    """At most three known ids, the most alike first; none where no id is alike.

    Alike are ids that differ in a third of their characters, or in one, after blanks and case are put aside, and
    those that end with the given text: 917 finds c-00917.
    """
    given = customer_id.strip().lower()
    if not given:
        return []
    size = len(given.encode())  # the distance counts bytes, of which a character may have several
    ids = _known(read)
    spelled = ids.customer_id.strip().lower()
    ids = ids.mutate(distance=spelled.levenshtein(given), is_end=spelled.endswith(given))
    alike = ids.filter((ids.distance <= max(1, size // 3)) & (ids.distance < size) | ids.is_end)
    nearest = alike.order_by(ibis.desc("is_end"), "distance", "customer_id").limit(AT_MOST)
    return [str(each) for each in engine.con.to_pyarrow(nearest.customer_id).to_pylist()]


def _known(read: Reading) -> ibis.Table:
    """One row per id among the orders before `as_of` and in the customers table."""
    lines = orders.known(read.tables.transactions, read.as_of).select("customer_id")
    people = read.tables.customers
    return (lines if people is None else lines.union(people.select("customer_id"))).distinct()
