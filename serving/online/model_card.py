"""The model card of `GET /v1/model`: manifest, scorecard, cuts, the columns that a request must give, definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydantic_core

from tiercast.contract import inputs, scores
from tiercast.features.spec import ORDER_COUNT
from tiercast.models.bundle import Bundle
from tiercast.serving import score
from tiercast.tiers import actions, reason_texts, texts
from tiercast.tiers.languages import LANGUAGES, Language


def render(bundle: Bundle, manifest: Mapping[str, Any], served: Mapping[str, Any], stored: Mapping[str, Any]) -> bytes:
    """The card as JSON; a measure that does not exist (NaN) is null. It says nothing about a customer.

    `manifest` is the bundle's, `served` its origin and since when it is served, `stored` the definitions of the columns
    that stored scores have in addition.
    """
    schema = score.schema(bundle)
    card = {
        "served": served,
        "model": bundle.about.model,
        "manifest": manifest,
        "limits": bundle.about.limits,
        "scorecard": bundle.scorecard,
        "cuts": bundle.cuts._asdict(),
        "label": scores.about(schema)["label"],
        "reads": _reads(bundle),
        "features": list(bundle.spec.names),
        "columns": [{"name": field.name, "type": str(field.type), **scores.about(field)} for field in schema],
        "stored": stored,
        "texts": {lang: _texts(lang) for lang in LANGUAGES},
    }
    return pydantic_core.to_json(card, inf_nan_mode="null")


def _texts(lang: Language) -> dict[str, Any]:
    return {
        "tiers": {letter: texts.tier(letter, lang)._asdict() for letter in texts.TIER_TEXTS},
        "actions": {code: texts.action(code, lang) for code in actions.ACTIONS},
        "reasons": {code: wording[lang].plain for code, wording in reason_texts.REASON_TEXTS.items()},
    }


def _reads(bundle: Bundle) -> dict[str, list[str]]:
    """Per table the columns that a request must give for this bundle."""
    spec = bundle.spec
    unread = {"customer_id", *(("amount",) if spec.counts_orders else ())}
    required = [column.name for column in inputs.TRANSACTIONS if column.is_required and column.name not in unread]
    contacts = [column.name for column in inputs.INTERACTIONS if column.is_required and column.name != "customer_id"]
    return {
        "transactions": [*required, *(name for name in spec.columns if name != ORDER_COUNT)],
        "customers": ["customer_id", *(["joined_on"] if spec.has_joined_on else [])],
        "attributes": [attribute.name for attribute in spec.attributes],
        "interactions": [*contacts, *spec.contact_columns] if spec.contact_kinds else [],
    }
