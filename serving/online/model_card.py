"""What the model behind the service is: manifest, scorecard, cuts, what it reads, what every number means."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import pydantic_core

from tiercast.contract import inputs, scores
from tiercast.models import bundle_folder
from tiercast.models.bundle import Bundle
from tiercast.serving import score
from tiercast.serving.http.scores import responses
from tiercast.tiers import actions, reason_texts, texts
from tiercast.tiers.languages import Language

LANGUAGES: tuple[Language, ...] = ("en", "zh")


def as_json(bundle: Bundle, folder: pathlib.Path, served: Mapping[str, Any]) -> bytes:
    """The card as JSON, with since when and from where it is served; a measure that does not exist (NaN) is null."""
    return pydantic_core.to_json({"served": served, **_card(bundle, folder)}, inf_nan_mode="null")


def _card(bundle: Bundle, folder: pathlib.Path) -> dict[str, Any]:
    """Everything in it is in the bundle or in the contract; nothing is about a customer."""
    schema = score.schema(bundle)
    return {
        "model": bundle.about.model,
        "manifest": json.loads((folder / bundle_folder.MANIFEST).read_text(encoding="utf-8")),
        "scorecard": bundle.scorecard,
        "cuts": bundle.cuts._asdict(),
        "label": scores.about(schema)["label"],
        "reads": _reads(bundle),
        "features": list(bundle.spec.names),
        "columns": [{"name": field.name, "type": str(field.type), **scores.about(field)} for field in schema],
        "stored": responses.definitions(),
        "texts": {lang: _texts(lang) for lang in LANGUAGES},
    }


def _texts(lang: Language) -> dict[str, Any]:
    return {
        "tiers": {letter: texts.tier(letter, lang)._asdict() for letter in texts.TIER_TEXTS},
        "actions": {code: texts.action(code, lang) for code in actions.ACTIONS},
        "reasons": {code: wording[lang].plain for code, wording in reason_texts.REASON_TEXTS.items()},
    }


def _reads(bundle: Bundle) -> dict[str, list[str]]:
    """Per table the columns that a request must give for this bundle."""
    spec = bundle.spec
    required = [column.name for column in inputs.TRANSACTIONS if column.is_required and column.name != "customer_id"]
    contacts = [column.name for column in inputs.INTERACTIONS if column.is_required and column.name != "customer_id"]
    return {
        "transactions": [*required, *spec.columns],
        "customers": ["customer_id", *(["joined_on"] if spec.has_joined_on else [])],
        "attributes": [attribute.name for attribute in spec.attributes],
        "interactions": [*contacts, *spec.contact_columns] if spec.contact_kinds else [],
    }
