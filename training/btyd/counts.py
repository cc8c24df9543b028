"""What the closed form learns from, counted by the engine: equal customers once, with how many they are.

Days and orders are whole numbers, so a hundred million customers have few different histories. The engine counts them
where the rows are, and only the counts reach Python.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from ibis.expr import types as ir

from tiercast.contract.vectors import Vector
from tiercast.features.engines import Engine


class Statistics(NamedTuple):
    """Two groupings of the buyers of a feature table, each with `n`, the customers who share a row.

    `x`, `t_x`, `T` are repeat orders, age at the last order and age, in days; `orders` and `mean` all orders and their
    mean value, of those who spent something.
    """

    x: Vector
    t_x: Vector
    T: Vector
    n: Vector
    orders: Vector
    mean: Vector
    n_spenders: Vector


def statistics(engine: Engine, features: ir.Table) -> Statistics:
    """Group the buyers of a feature table; rows ascend, so that no engine's own order can reach a fit."""
    buyers = features.filter(features.n_orders > 0)
    histories = _counted(engine, buyers, ("n_repeat_orders", "recency_days", "age_days"))
    spending = _counted(engine, buyers.filter(buyers.order_value_mean > 0), ("n_orders", "order_value_mean"))
    return Statistics(*_columns(histories), *_columns(spending))


def _counted(engine: Engine, customers: ir.Table, names: tuple[str, ...]) -> pa.Table:
    groups = customers.group_by(list(names)).aggregate(n=customers.count())
    found: pa.Table = engine.con.to_pyarrow(groups.order_by(list(names)))
    return found


def _columns(table: pa.Table) -> list[Vector]:
    return [table[name].to_numpy().astype(np.float64) for name in table.column_names]
