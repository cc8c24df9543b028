"""Training on a sample where the base is larger than learning needs: customers are drawn, all with the same chance.

A customer in the sample has all rows, so each window has the same people and no history is cut. All weigh the same, so
shares, levels and cut points estimate those of the whole base. A customer is drawn by a hash of the id: the same ones
on every engine and in every run. The share drawn depends on how many customers are known at as_of, and on nothing that
they did; the holdouts use the same sample.
"""

from __future__ import annotations

from typing import NamedTuple

from ibis.expr import types as ir

from tiercast.features import buckets
from tiercast.features.engines import Engine
from tiercast.features.tables import Tables


class Sample(NamedTuple):
    """The tables to learn from; `n_drawn` of `n_customers` who have bought are in them, all of them if `share` is 1."""

    tables: Tables
    n_drawn: int
    n_customers: int
    share: float

    @property
    def note(self) -> str:
        """For the report; empty without a sample."""
        if self.share == 1:
            return ""
        part = f"{self.n_drawn:,} of {self.n_customers:,} customers ({self.share:.2%})"
        return f"Learned and judged on a sample of {part}: rolling.most_customers."


def draw(engine: Engine, tables: Tables, most: int) -> Sample:
    """About `most` customers (within their binomial spread), or all where there are no more; 0 takes all.

    The transactions are kept as Parquet in the engine's folder: every snapshot reads them again.
    """
    n = _customers(engine, tables.transactions)
    if most == 0 or n <= most:
        return Sample(tables._replace(transactions=engine.store("known", tables.transactions)), n, n, 1.0)
    limit = max(1, most * buckets.LARGEST // n)
    drawn = tables._replace(transactions=engine.store("known", _only(tables.transactions, limit)))
    drawn = drawn._replace(
        customers=None if tables.customers is None else _only(tables.customers, limit),
        interactions=None if tables.interactions is None else _only(tables.interactions, limit),
    )
    return Sample(drawn, _customers(engine, drawn.transactions), n, limit / buckets.LARGEST)


def _only(table: ir.Table, limit: int) -> ir.Table:
    return table.filter(buckets.assign(table.customer_id, buckets.LARGEST) < limit)


def _customers(engine: Engine, transactions: ir.Table) -> int:
    return int(engine.con.to_pyarrow(transactions.customer_id.nunique()).as_py())
