"""Features from the customers table: tenure, and the attributes given.

Attributes have no date: they count as known on the as-of day (docs/data.md).
"""

from __future__ import annotations

import datetime as dt

import ibis
from ibis.expr import types as ir

from tiercast.features import exact
from tiercast.features.spec import Attribute, FeatureSpec


def per_customer(customers: ir.Table, as_of: dt.date, spec: FeatureSpec) -> ir.Table:
    """One row per customer known on the day; customers who joined later are left out."""
    known = customers
    features = {f"attr_{a.name}": _attribute(known, a) for a in spec.attributes}
    if "joined_on" in customers.columns:
        known = customers.filter(customers.joined_on.isnull() | (customers.joined_on < as_of))
    if spec.has_joined_on:
        features["tenure_days"] = (exact.day_of(as_of) - exact.day_number(known.joined_on)).cast("float64")
    return known.select("customer_id", **features)


def _attribute(customers: ir.Table, attribute: Attribute) -> ir.FloatingValue:
    """A number as it is; a label as its position among the categories seen at training."""
    column = customers[attribute.name]
    if attribute.kind == "number":
        return column.cast("float64")
    if not attribute.categories:
        return ibis.null("float64")
    places = [(value, float(place)) for place, value in enumerate(attribute.categories)]
    return _text(column).cases(*places, else_=ibis.null("float64"))


def _text(column: ir.Value) -> ir.StringValue:
    """A label as text. Labels that are all numbers were read as floats: 7.0 becomes "7" again."""
    if not column.type().is_floating():
        return column.cast("string")
    whole = column.cast("int64")
    return ibis.ifelse(whole.cast("float64") == column, whole.cast("string"), column.cast("string"))
