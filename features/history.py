"""Purchase history: pace, gaps, money and refunds, in total, in recent windows and a year ago."""

from __future__ import annotations

import ibis
from ibis.expr import types as ir

from tiercast.contract.periods import YEAR_DAYS
from tiercast.features import exact
from tiercast.features.spec import FeatureSpec


def aggregates(days: ir.Table, today: int, spec: FeatureSpec) -> dict[str, ir.Value]:
    """The aggregates over a customer's days from which every feature below is computed, in one pass.

    Customers without an order have zeros here; `null_without_orders` turns them into nulls.
    """
    return {
        "n_orders": days.is_order.sum().cast("float64"),
        "first_day": days.order_day.min().cast("float64"),
        "last_day": days.order_day.max().cast("float64"),
        "gap_squares": (days.gap * days.gap).sum().cast("float64"),
        "gap_longest_days": days.gap.max().cast("float64"),
        "gap_last_days": days.gap.max(where=days.is_last).cast("float64"),
        "spend_total": exact.total(days.gross),
        "spend_squares": exact.square_total(days.gross),
        "order_value_max": days.gross.max(where=days.is_order).cast("float64"),
        "order_value_first": days.gross.max(where=days.is_first).cast("float64"),
        "order_value_last": days.gross.max(where=days.is_last).cast("float64"),
        **_windows(days, today, spec),
        "n_refunds": (days.n_refund_rows > 0).sum().cast("float64"),
        "refunded": exact.total(days.refund),
    }


def spans(today: int, spec: FeatureSpec) -> dict[str, tuple[int, int]]:
    """The first day of each window and the day after its last. Aggregates depend on `today` through these days only.

    >>> spans(1000, FeatureSpec(windows=(30,), season_days=90))
    {'30d': (970, 1000), 'last_year': (635, 725)}
    """
    windows = {f"{w}d": (today - w, today) for w in spec.windows}
    if spec.season_days:
        start = today - YEAR_DAYS
        windows["last_year"] = (start, start + spec.season_days)
    return windows


def _windows(days: ir.Table, today: int, spec: FeatureSpec) -> dict[str, ir.Value]:
    """Orders and spend of the last `w` days, and of the same period last year."""
    out: dict[str, ir.Value] = {}
    for name, (start, end) in spans(today, spec).items():
        inside = days.is_order & (days.day >= start) & (days.day < end)
        out[f"n_orders_{name}"] = inside.sum().cast("float64")
        out[f"spend_{name}"] = exact.total(days.gross, where=inside)
    return out


def null_without_orders(aggregates: ir.Table) -> dict[str, ir.Value]:
    """The order counts and amounts, null for customers without an order: their spending is unknown, not zero."""
    counted = [name for name in aggregates.columns if name.startswith(("n_orders", "spend_"))]
    return {name: ibis.ifelse(aggregates.n_orders > 0, aggregates[name], ibis.null("float64")) for name in counted}


def derived(aggregates: ir.Table, today: int, spec: FeatureSpec) -> dict[str, ir.Value]:
    """The features that are arithmetic on a customer's aggregates."""
    s = aggregates
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


def refund_share(table: ir.Table) -> ir.FloatingValue:
    """Refunds over gross spend; 0 where nothing was spent."""
    return ibis.coalesce(table.refunded / table.spend_total.nullif(0.0), 0.0)
