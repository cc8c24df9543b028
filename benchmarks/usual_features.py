"""The features of our model as a competent user of pandas computes them: one row per customer, no loop over customers.

Ids become whole numbers once, rows are summed by customer and day, and all else is grouped from those days, which come
out sorted. `tests/benchmarks/test_usual.py` holds the table against ours, column by column.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

WINDOWS, TRENDS = (30, 60, 90, 180, 365), (30, 90)
SEASON, YEAR = 90, 365
DAYS_OF_ALL_TIME = 1_000_000  # a customer and a day are one whole number: grouping by it costs less than by two columns


def features(orders: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """What is known before `end`; the closed form's frequency, recency and age are among the columns."""
    known = orders[orders["ordered_at"] < end]
    codes, ids = pd.factorize(known["customer_id"])
    day = known["ordered_at"].to_numpy().astype("datetime64[D]").astype(np.int64)
    today = (end - pd.Timestamp(0)).days
    lines = pd.DataFrame({"key": codes * DAYS_OF_ALL_TIME + day, "money": known["amount"].to_numpy()})
    bought = by_day(lines[lines["money"] >= 0])
    refunded = by_day(lines[lines["money"] < 0]).groupby("customer")["money"]
    table = _history(bought, today).reindex(range(len(ids)))
    table["n_refunds"] = refunded.size()
    table["refund_share"] = -refunded.sum() / table["spend_total"]
    for name, start, stop in _windows(today):
        inside = bought[(bought["day"] >= start) & (bought["day"] < stop)].groupby("customer", sort=False)["money"]
        table[f"n_orders_{name}"] = inside.size()
        table[f"spend_{name}"] = inside.sum()
    counted = [f"{what}_{name}" for name, _, _ in _windows(today) for what in ("n_orders", "spend")]
    table = table.fillna(dict.fromkeys((*counted, "spend_total", "n_refunds", "refund_share"), 0.0))
    for width in TRENDS:
        table[f"orders_trend_{width}d"] = 2 * table[f"n_orders_{width}d"] - table[f"n_orders_{2 * width}d"]
    return table.set_index(pd.Index(ids, name="customer_id"))


def by_day(lines: pd.DataFrame) -> pd.DataFrame:
    """One row per customer and day, sorted: the money of the day, and the days since the customer's last such day."""
    days = lines.groupby("key")["money"].sum().reset_index()
    customer, day = np.divmod(days.pop("key").to_numpy(), DAYS_OF_ALL_TIME)
    is_next = np.diff(customer, prepend=-1) == 0
    return days.assign(customer=customer, day=day, gap=np.where(is_next, np.diff(day, prepend=0), np.nan))


def _history(bought: pd.DataFrame, today: int) -> pd.DataFrame:
    """Pace, gaps and money of those who ordered."""
    grouped = bought.groupby("customer", sort=False)
    table = grouped.agg(
        n_orders=("day", "size"),
        first_day=("day", "first"),
        last_day=("day", "last"),
        gap_sd_days=("gap", "std"),
        gap_longest_days=("gap", "max"),
        gap_last_days=("gap", "last"),
        spend_total=("money", "sum"),
        order_value_sd=("money", "std"),
        order_value_max=("money", "max"),
        order_value_first=("money", "first"),
        order_value_last=("money", "last"),
    )
    n, first, last = (table.pop(name) for name in ("n_orders", "first_day", "last_day"))
    repeats = (n - 1).where(n > 1)
    return table.assign(
        n_orders=n,
        n_repeat_orders=n - 1,
        recency_days=last - first,
        age_days=today - first,
        silence_days=today - last,
        gap_mean_days=(last - first) / repeats,
        silence_over_gap=(today - last) / ((last - first) / repeats),
        order_value_mean=table["spend_total"] / n,
        repeat_order_value=(table["spend_total"] - table["order_value_first"]) / repeats,
    )


def _windows(today: int) -> list[tuple[str, int, int]]:
    """Name, first day and the day after the last: the newest days, and the coming season a year ago."""
    recent = [(f"{width}d", today - width, today) for width in WINDOWS]
    return [*recent, ("last_year", today - YEAR, today - YEAR + SEASON)]
