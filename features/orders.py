"""Orders: a customer's purchases of one day, counted once.

A day is an order when at least one of its rows has an amount of zero or more. Rows below zero are
refunds: they lower the day's net money and never make an order.
"""

from __future__ import annotations

import datetime as dt

import ibis
from ibis.expr import types as ir

from tiercast.features import exact


def daily(transactions: ir.Table) -> ir.Table:
    """One row per customer and day: `day`, `is_order`, `gross`, `refund` (positive), `net`."""
    t = transactions.mutate(day=exact.day_number(transactions.ordered_on))
    is_sale = t.amount >= 0
    return t.group_by("customer_id", "day").aggregate(
        is_order=is_sale.any(),
        gross=exact.total(t.money, where=is_sale),
        refund=exact.total(-t.money, where=~is_sale),
        n_refund_rows=(~is_sale).sum(),
    )


def known(transactions: ir.Table, as_of: dt.date) -> ir.Table:
    """The transactions strictly before `as_of`: every feature is computed from these."""
    return transactions.filter(transactions.ordered_on < ibis.date(as_of.year, as_of.month, as_of.day))


def with_neighbours(days: ir.Table) -> ir.Table:
    """Every day with `order_day` (null without an order), `gap`, `is_first` and `is_last`.

    `gap` is the number of days since the order before, null for the first order. Days without an order are sorted after
    all orders, so that they are no neighbour of one.
    """
    days = days.mutate(order_day=ibis.ifelse(days.is_order, days.day, ibis.null("int64")))
    window = ibis.window(group_by=days.customer_id, order_by=ibis.asc(days.order_day, nulls_first=False))
    before, after = days.order_day.lag().over(window), days.order_day.lead().over(window)
    return days.mutate(
        gap=days.order_day - before,
        is_first=days.is_order & before.isnull(),
        is_last=days.is_order & after.isnull(),
    )
