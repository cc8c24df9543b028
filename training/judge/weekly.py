"""Repeat orders per week, as they happened and as the order model expected them on the day the holdout began.

The classic test of level (Fader, Hardie & Lee 2005, figures 2 and 3): nobody's own history enters, only when each
customer came, so a model that fits the past and not the future shows at once.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
from ibis.expr import types as ir
from numpy.typing import NDArray

from tiercast.contract.vectors import Vector
from tiercast.features import exact, orders
from tiercast.features.engines import Engine
from tiercast.features.tables import Tables
from tiercast.models import orders as order_models
from tiercast.models.orders import OrderModel

WEEK = 7


class Weekly(NamedTuple):
    """One entry per full week since the first order; `weeks` counts from 1, knowledge ended at `as_of_week`."""

    weeks: Vector
    actual: Vector
    expected: Vector
    as_of_week: float


class _PerDay(NamedTuple):
    """Days since 1970, and how many customers or orders each had; days without any are missing."""

    day: NDArray[np.int64]
    n: Vector


def track(engine: Engine, tables: Tables, as_of: dt.date, days: int, model: OrderModel) -> Weekly:
    """All customers who had ordered before `as_of`, from the first order to `as_of + days`."""
    today = exact.day_of(as_of)
    newcomers, repeats = _counts(engine, tables, today, today + days)
    first = int(newcomers.day.min())
    length = today + days - first
    born, again = (_spread(rows, first, length) for rows in (newcomers, repeats))
    return Weekly(*_weekly(again, expected(model, born)), as_of_week=(today - first) / WEEK)


def expected(model: OrderModel, born: Vector) -> Vector:
    """Repeat orders expected by the end of each day, all customers together; `born` counts newcomers per day.

    A customer who came on day b is t = d - b days old on day d and has E[X(t)] repeat orders: a convolution.

    >>> from tiercast.models.bgnbd import BgNbd
    >>> paper = BgNbd(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
    >>> expected(paper, np.array([1.0, 0.0, 1.0]))[[0, 2]].round(4)      # published: E[X(1)] = .0532, E[X(3)] = .1506
    array([0.0532, 0.2038])
    """
    age = np.arange(1, len(born) + 1, dtype=np.float64)
    return np.convolve(born, order_models.expected_orders_of_new(model, age))[: len(born)]


def _spread(counts: _PerDay, first: int, length: int) -> Vector:
    return np.bincount(counts.day - first, counts.n, length).astype(np.float64)


def _weekly(again: Vector, expected_by: Vector) -> tuple[Vector, Vector, Vector]:
    weeks = np.arange(1, len(again) // WEEK + 1)
    ends = np.append(0, weeks * WEEK)
    totals = (np.append(0.0, running)[ends] for running in (np.cumsum(again), expected_by))
    actual, forecast = (np.diff(total) for total in totals)
    return weeks.astype(np.float64), actual, forecast


def _counts(engine: Engine, tables: Tables, today: int, until: int) -> tuple[_PerDay, _PerDay]:
    """Newcomers per day of their first order before `today`, and their repeat orders per day before `until`."""
    days = orders.daily(tables.transactions)
    bought = days.filter(days.is_order & (days.day < until)).select("customer_id", "day")
    came = bought.group_by("customer_id").aggregate(born=bought.day.min())
    came = came.filter(came.born < today)
    again = bought.inner_join(came, "customer_id")
    again = again.filter(again.day > again.born)
    return _per_day(engine, came, "born"), _per_day(engine, again, "day")


def _per_day(engine: Engine, table: ir.Table, day: str) -> _PerDay:
    counts = engine.con.to_pyarrow(table.group_by(day).aggregate(n=table.count()))
    return _PerDay(counts[day].to_numpy().astype(np.int64), counts["n"].to_numpy().astype(np.float64))
