"""Scores with texts for a few customers: their features, their scores, and what the codes mean."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Mapping, Sequence
from typing import Any, cast

import ibis

from tiercast.features import build, schema
from tiercast.features.engines import Engine
from tiercast.features.spec import ORDER_COUNT
from tiercast.features.tables import Tables
from tiercast.models import bundle as bundles
from tiercast.models.bundle import Bundle
from tiercast.serving import score
from tiercast.serving.online import letter_changes, scorer
from tiercast.serving.online.requests import Contact, Customer, Purchase, ScoreRequest
from tiercast.tiers import letter_change, texts
from tiercast.tiers.languages import Language
from tiercast.tiers.letter_change import LetterChange

_DERIVED = ("ordered_on", "money")


def explain(
    engine: Engine, bundle: Bundle, tables: Tables, as_of: dt.date, ids: Sequence[str], lang: Language
) -> list[dict[str, Any]]:
    """One dictionary per known customer, in the order of `ids`: the score's columns and the texts of its codes.

    The texts are `tier_name`, `value_text`, `reason_texts`, `letter_change_text` (from `letter_change`) and
    `action_text`. Raises `BundleRefused` for tables without its columns.
    """
    schema.require(bundle.spec, tables)
    wanted = Tables(*(None if table is None else _of_customers(table, ids) for table in tables))
    dated = bundles.dated(bundle, as_of)
    features = engine.con.to_pyarrow(build.build(wanted, as_of, bundle.spec).order_by("customer_id"))
    rows = zip(score.score(dated, features).to_pylist(), features.to_pylist(), strict=True)
    changes = _letter_changes(engine, bundle, wanted, as_of)
    explained = {}
    for row, known in rows:
        words = _texts(row, known, lang, bundle.about.currency)
        explained[row["customer_id"]] = {
            **row,
            **words,
            **letter_change.as_fields(changes.get(row["customer_id"]), lang),
        }
    return [explained[customer_id] for customer_id in ids if customer_id in explained]


def _texts(row: Mapping[str, Any], features: Mapping[str, Any], lang: Language, currency: str) -> dict[str, Any]:
    """The texts of a score, which name the customer's own features."""
    numbers = {name: value for name, value in features.items() if isinstance(value, float)}
    return {
        "tier_name": texts.tier(row["tier"], lang).name,
        "value_text": texts.value_of(row, lang),
        "reason_texts": [texts.render(code, numbers, lang, currency) for code in row["reasons"]],
        "action_text": texts.action(row["action"], lang),
    }


def _letter_changes(engine: Engine, bundle: Bundle, tables: Tables, as_of: dt.date) -> dict[str, LetterChange]:
    """What would change each customer's letter, from their lines as a request of the service has them."""
    purchases, people, contacts = (_rows(engine, table) for table in tables)
    if bundle.spec.counts_orders:
        purchases = {customer_id: _without_amounts(lines) for customer_id, lines in purchases.items()}
    customers = [
        Customer.model_construct(
            customer_id=customer_id,
            transactions=cast(list[Purchase], lines),
            joined_on=next((row.get("joined_on") for row in people.get(customer_id, [])), None),
            attributes={a.name: row[a.name] for row in people.get(customer_id, []) for a in bundle.spec.attributes},
            interactions=cast(list[Contact], contacts.get(customer_id, [])),
        )
        for customer_id, lines in purchases.items()
    ]
    request = ScoreRequest.model_construct(as_of=as_of, customers=customers, lang="en", letter_change=False)
    return letter_changes.find(scorer.Scorer(bundle).score, request, bundle.about.churn_days)


def _rows(engine: Engine, table: ibis.Table | None) -> dict[str, list[dict[str, Any]]]:
    """The rows of each customer as a request has them: times are text, money is a float."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in [] if table is None else engine.con.to_pyarrow(table).to_pylist():
        plain = {name: _plain(cell) for name, cell in row.items() if name not in _DERIVED}
        rows.setdefault(plain.pop("customer_id"), []).append(plain)
    return rows


def _without_amounts(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: cell for name, cell in line.items() if name not in ("amount", ORDER_COUNT)} for line in lines]


def _plain(cell: Any) -> Any:
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return float(cell) if isinstance(cell, decimal.Decimal) else cell


def _of_customers(table: ibis.Table, ids: Sequence[str]) -> ibis.Table:
    return table.filter(table.customer_id.isin(list(ids)))
