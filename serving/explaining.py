"""Scores in words for a few customers: the same features, the same score, and the texts of its codes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import ibis

from tiercast.features import build, schema
from tiercast.features.engines import Engine
from tiercast.features.tables import Tables
from tiercast.models import bundle as bundles
from tiercast.models.bundle import Bundle
from tiercast.serving import score
from tiercast.tiers import texts
from tiercast.tiers.languages import Language


def explain(
    engine: Engine, bundle: Bundle, tables: Tables, as_of: dt.date, ids: Sequence[str], lang: Language
) -> list[dict[str, Any]]:
    """One dictionary per known customer: the score's columns, `tier_name`, `reason_texts` and `action_text`."""
    schema.require(bundle.spec, tables)
    wanted = Tables(*(None if table is None else _only(table, ids) for table in tables))
    dated = bundles.dated(bundle, as_of)
    features = engine.con.to_pyarrow(build.build(wanted, as_of, bundle.spec).order_by("customer_id"))
    scored = score.score(dated, features)
    rows = zip(scored.to_pylist(), features.to_pylist(), strict=True)
    found = {row["customer_id"]: in_words(row, facts, lang, bundle.about.currency) for row, facts in rows}
    return [found[one] for one in ids if one in found]


def in_words(row: dict[str, Any], facts: dict[str, Any], lang: Language, currency: str) -> dict[str, Any]:
    """A score with the texts of its codes, filled from the customer's own features."""
    numbers = {name: value for name, value in facts.items() if isinstance(value, float)}
    return row | {
        "tier_name": texts.tier(row["tier"], lang).name,
        "reason_texts": [texts.render(code, numbers, lang, currency) for code in row["reasons"]],
        "action_text": texts.action(row["action"], lang),
    }


def _only(table: ibis.Table, ids: Sequence[str]) -> ibis.Table:
    return table.filter(table.customer_id.isin(list(ids)))
