"""Breadth of buying: products, categories and channels per customer; depth per order.

A feature exists only when its column is given.
"""

from __future__ import annotations

from ibis.expr import types as ir

from tiercast.features import exact
from tiercast.features.spec import FeatureSpec


def aggregates(lines: ir.Table, spec: FeatureSpec) -> dict[str, ir.Value]:
    """Counts over the purchase lines (refunds left out) of one customer."""
    out: dict[str, ir.Value] = {}
    if "product_id" in spec.columns:
        out["n_products"] = lines.product_id.nunique().cast("float64")
        out["product_lines"] = lines.product_id.count().cast("float64")
    if "category" in spec.columns:
        out["n_categories"] = lines.category.nunique().cast("float64")
    if "channel" in spec.columns:
        out["n_channels"] = lines.channel.nunique().cast("float64")
    if "quantity" in spec.columns:
        out["quantity_total"] = exact.total(lines.quantity)
    return out


def derived(table: ir.Table, spec: FeatureSpec) -> dict[str, ir.Value]:
    """Depth per order, and the share of lines with a product that was bought before."""
    out: dict[str, ir.Value] = {}
    if "product_id" in spec.columns:
        out["products_per_order"] = table.product_lines / table.n_orders
        out["repeat_product_share"] = 1 - table.n_products / table.product_lines.nullif(0.0)
    if "quantity" in spec.columns:
        out["quantity_per_order"] = table.quantity_total / table.n_orders
    return out


def per_customer(lines: ir.Table, spec: FeatureSpec) -> ir.Table | None:
    """One row per customer; None without any of the columns."""
    sales = lines.filter(lines.amount >= 0)
    columns = aggregates(sales, spec)
    return sales.group_by("customer_id").aggregate(**columns) if columns else None
