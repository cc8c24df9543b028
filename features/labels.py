"""Labels: orders and money after `as_of`. Only training may import this module: elsewhere it would be a leak."""

from __future__ import annotations

import datetime as dt

import ibis
from ibis.expr import types as ir

from tiercast.features import exact, orders
from tiercast.features.tables import Tables


def labels(tables: Tables, as_of: dt.date, churn_days: int, value_days: int) -> ir.Table:
    """One row per customer with an order before `as_of`, with the outcome in `[as_of, as_of + horizon)`.

    `churned` is 1.0 when no order fell inside `churn_days`; `value` is the money of `value_days` net
    of refunds, not below zero; `n_future_orders` counts the orders of `value_days`.
    """
    today = exact.day_of(as_of)
    days = orders.daily(tables.transactions)
    past = days.filter((days.day < today) & days.is_order).select("customer_id").distinct()
    ahead = days.filter((days.day >= today) & (days.day < today + max(churn_days, value_days)))
    in_value = ahead.day < today + value_days
    future = ahead.group_by("customer_id").aggregate(
        n_churn_orders=(ahead.is_order & (ahead.day < today + churn_days)).sum(),
        n_future_orders=(ahead.is_order & in_value).sum().cast("float64"),
        net=exact.total(ahead.gross - ahead.refund, where=in_value),
    )
    joined = past.left_join(future, "customer_id")
    return joined.select(
        "customer_id",
        churned=(joined.n_churn_orders.fill_null(0) == 0).cast("float64"),
        value=ibis.greatest(joined.net.fill_null(0.0), 0.0),
        n_future_orders=joined.n_future_orders.fill_null(0.0),
    )
