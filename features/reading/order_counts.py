"""Transactions without amounts: every order counts one, so that value is a number of orders.

A customer's rows of one day are one order, so the first of them has the amount 1 and the others 0. No row is a refund.
"""

from __future__ import annotations

import ibis

from tiercast.contract import inputs
from tiercast.features import exact
from tiercast.features.reading import values
from tiercast.features.reading.validation import UNREAD
from tiercast.features.spec import ORDER_COUNT

IGNORED = tuple(column.name for column in inputs.TRANSACTIONS if column.kind == "money")
"""The columns of money, which are not looked at."""


def unpriced(parsed: ibis.Table) -> ibis.Table:
    """Parsed rows with an amount of 1 each, for the checks that every table passes."""
    given = [name for money in IGNORED for name in (money, UNREAD + money) if name in parsed.columns]
    one = ibis.literal(1.0).cast(values.MONEY)
    return parsed.drop(*given).mutate(**{"amount": one, UNREAD + "amount": ibis.null("string")})


def per_day(valid: ibis.Table) -> ibis.Table:
    """The rows with the amount 1 on the first row of each customer and day, 0 on the others, and `ORDER_COUNT`."""
    days = valid.mutate(order_day=exact.day_number(valid["ordered_at"].date()))
    window = ibis.window(group_by=days["customer_id"], order_by=ibis.asc(days["order_day"], nulls_first=False))
    before = days.mutate(day_before=days["order_day"].lag().over(window))
    is_first = before["day_before"].isnull() | (before["order_day"] > before["day_before"])
    one, zero = (ibis.literal(number).cast(values.MONEY) for number in (1.0, 0.0))
    counted = before.mutate(amount=ibis.ifelse(is_first, one, zero))
    return counted.mutate(**{ORDER_COUNT: counted["amount"]}).drop("order_day", "day_before")
