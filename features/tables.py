"""The three tables everything else is computed from, once they are read and clean."""

from __future__ import annotations

from typing import NamedTuple

import ibis


class Tables(NamedTuple):
    """What was known strictly before `as_of`, in canonical columns and types.

    transactions    one row per purchase line: customer_id string, ordered_at timestamp (UTC, no zone), ordered_on date,
                    money and amount decimal(18, 6), all not null (money is the margin where one is given, else the
                    amount), then of order_id, product_id, category, channel (string), quantity (float64) and
                    margin those that the source has; without amounts, order_count stands for both (1 per order)
    customers       one row per customer: customer_id string, joined_on date if given, attributes as string or float64
    interactions    one row per contact: customer_id string, occurred_at timestamp (UTC, no zone), kind string,
                    score and minutes float64 if given
    """

    transactions: ibis.Table
    customers: ibis.Table | None = None
    interactions: ibis.Table | None = None
