"""What a customer did: pace, gaps, money, returns; and how much of it lately and a year ago."""

from __future__ import annotations

import ibis
from ibis.expr import types as ir

from features import exact
from features.spec import YEAR_DAYS, FeatureSpec


def aggregates(orders: ir.Table, today: int, spec: FeatureSpec) -> dict[str, ir.Value]:
    """The sums over a customer's orders from which every feature below is computed."""
    return {
        "n_orders": orders.count().cast("float64"),
        "first_day": orders.day.min().cast("float64"),
        "last_day": orders.day.max().cast("float64"),
        "gap_squares": (orders.gap * orders.gap).sum().cast("float64"),
        "gap_longest_days": orders.gap.max().cast("float64"),
        "gap_last_days": orders.gap.max(where=orders.is_last).cast("float64"),
        "spend_total": exact.total(orders.gross),
        "spend_squares": exact.square_total(orders.gross),
        "order_value_max": orders.gross.max().cast("float64"),
        "order_value_first": orders.gross.max(where=orders.is_first).cast("float64"),
        "order_value_last": orders.gross.max(where=orders.is_last).cast("float64"),
        **_windows(orders, today, spec),
    }


def _windows(orders: ir.Table, today: int, spec: FeatureSpec) -> dict[str, ir.Value]:
    """Orders and spend of the last `w` days, and of the same period last year."""
    out: dict[str, ir.Value] = {}
    spans = {f"{w}d": (today - w, today) for w in spec.windows}
    if spec.season_days:
        start = today - YEAR_DAYS
        spans["last_year"] = (start, start + spec.season_days)
    for name, (start, end) in spans.items():
        inside = (orders.day >= start) & (orders.day < end)
        out[f"n_orders_{name}"] = inside.sum().cast("float64")
        out[f"spend_{name}"] = exact.total(orders.gross, where=inside)
    return out


def derived(sums: ir.Table, today: int, spec: FeatureSpec) -> dict[str, ir.Value]:
    """The features that are arithmetic on one customer's sums."""
    s = sums
    recency = s.last_day - s.first_day
    repeats = s.n_orders - 1
    gap_mean = (recency / repeats.nullif(0.0)).name("gap_mean_days")
    order_value = s.spend_total / s.n_orders
    return {
        "n_repeat_orders": repeats,
        "recency_days": recency,
        "age_days": today - s.first_day,
        "silence_days": today - s.last_day,
        "repeat_order_value": (s.spend_total - s.order_value_first) / repeats.nullif(0.0),
        "gap_mean_days": gap_mean,
        "gap_sd_days": exact.spread(s.gap_squares, gap_mean, repeats),
        "silence_over_gap": (today - s.last_day) / gap_mean,
        "order_value_mean": order_value,
        "order_value_sd": exact.spread(s.spend_squares, order_value, s.n_orders),
        **{f"orders_trend_{w}d": 2 * s[f"n_orders_{w}d"] - s[f"n_orders_{2 * w}d"] for w in spec.trends},
    }


def refunds(days: ir.Table) -> ir.Table:
    """One row per customer: on how many days money went back, and how much."""
    returned = days.n_refund_rows > 0
    return days.group_by("customer_id").aggregate(
        n_refunds=returned.sum().cast("float64"),
        refunded=exact.total(days.refund),
    )


def refund_share(table: ir.Table) -> ir.FloatingValue:
    """Refunds over gross spend; 0 where nothing was spent."""
    return ibis.coalesce(table.refunded / table.spend_total.nullif(0.0), 0.0)
