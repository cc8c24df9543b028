"""Interactions: visits, support cases, complaints, reviews, referrals, surveys, campaigns."""

from __future__ import annotations

import datetime as dt

import ibis
from ibis.expr import types as ir

from tiercast.features import exact
from tiercast.features.spec import CONTACT_WINDOW_DAYS, FeatureSpec


def per_customer(interactions: ir.Table, as_of: dt.date, spec: FeatureSpec) -> ir.Table:
    """One row per customer with any contact before `as_of`: counts, days since, scores, minutes."""
    start = ibis.literal(as_of).cast("timestamp(6)")
    known = interactions.filter(interactions.occurred_at < start)
    known = known.mutate(day=exact.day_number(known.occurred_at.date()))
    columns: dict[str, ir.Value] = {}
    for kind in spec.contact_kinds:
        columns |= _kind_columns(known, kind, exact.day_of(as_of), spec)
    return known.group_by("customer_id").aggregate(**columns)


def _kind_columns(table: ir.Table, kind: str, today: int, spec: FeatureSpec) -> dict[str, ir.Value]:
    is_kind = table.kind == kind
    recent = is_kind & (table.day >= today - CONTACT_WINDOW_DAYS)
    out = {
        f"n_{kind}": is_kind.sum().cast("float64"),
        f"n_{kind}_{CONTACT_WINDOW_DAYS}d": recent.sum().cast("float64"),
        f"{kind}_last_days": (today - table.day.max(where=is_kind)).cast("float64"),
    }
    if "score" in spec.contact_columns:
        n = table.score.count(where=is_kind).nullif(0)
        out[f"{kind}_score_mean"] = exact.total(table.score, where=is_kind) / n
    if "minutes" in spec.contact_columns:
        out[f"{kind}_minutes"] = exact.total(table.minutes, where=is_kind)
    return out
