"""Scores with texts for a few customers: their features, their scores, and what the codes mean."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
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
    """One dictionary per known customer, in the order of `ids`: the score's columns and the texts of its codes.

    The texts are `tier_name`, `reason_texts` and `action_text`. Raises `BundleRefused` for tables without its columns.
    """
    schema.require(bundle.spec, tables)
    wanted = Tables(*(None if table is None else _of_customers(table, ids) for table in tables))
    dated = bundles.dated(bundle, as_of)
    features = engine.con.to_pyarrow(build.build(wanted, as_of, bundle.spec).order_by("customer_id"))
    rows = zip(score.score(dated, features).to_pylist(), features.to_pylist(), strict=True)
    explained = {row["customer_id"]: _with_texts(row, known, lang, bundle.about.currency) for row, known in rows}
    return [explained[customer_id] for customer_id in ids if customer_id in explained]


def _with_texts(row: Mapping[str, Any], features: Mapping[str, Any], lang: Language, currency: str) -> dict[str, Any]:
    """A score with the texts of its codes, which name the customer's own features."""
    numbers = {name: value for name, value in features.items() if isinstance(value, float)}
    return {
        **row,
        "tier_name": texts.tier(row["tier"], lang).name,
        "reason_texts": [texts.render(code, numbers, lang, currency) for code in row["reasons"]],
        "action_text": texts.action(row["action"], lang),
    }


def _of_customers(table: ibis.Table, ids: Sequence[str]) -> ibis.Table:
    return table.filter(table.customer_id.isin(list(ids)))
