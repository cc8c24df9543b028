"""Customers in, scores out, in one process and without files: the batch job's own steps on a request's rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa

from features.spec import MARGIN
from models import bundle as bundles
from models.bundle import Bundle
from serving import score
from serving.service import arrivals, judging, plans, wording
from serving.service.arrivals import Arrivals
from serving.service.desks import Columns, Desk, Desks
from serving.service.plans import Plan
from serving.service.requests import ScoreRequest
from tiers.languages import Language

Dropped = dict[str, dict[str, int]]


class Online:
    """A bundle with the engines that read for it. `answer` may be called by several threads at once."""

    def __init__(self, bundle: Bundle, n_desks: int = 1) -> None:
        self.bundle = bundle
        self.desks = Desks(arrivals.schemas(bundle.spec), n_desks)

    def answer(self, request: ScoreRequest) -> dict[str, Any]:
        """What `answers.ScoreAnswer` describes, customers in the order of the request. Raises `BadInput`."""
        dated = bundles.dated(self.bundle, request.as_of)
        given = arrivals.arrange(request, self.bundle.spec)
        plan = plans.of(self.bundle.spec, request.as_of, given.has_margin)
        with self.desks.borrow() as desk:
            desk.lay(given.tables)
            dropped = _judge(desk, plan, request, given)
            features = _as_asked(desk.run(plan.features), request)
        about = dated.about
        scored = score.score(dated, pa.table(features))
        return {
            "as_of": request.as_of,
            "model": about.model,
            "currency": about.currency,
            "scores": _in_words(scored, features, request.lang, about.currency),
            "dropped": dropped,
        }

    def warm_up(self, as_of: dt.date) -> None:
        """Have the plans of a day ready on every desk, so that the first caller does not wait for them."""
        plan = plans.of(self.bundle.spec, as_of, MARGIN in self.bundle.spec.columns)
        for desk in self.desks.every:
            for sql in (plan.features, *plan.judged.values()):
                desk.rows(sql)

    def close(self) -> None:
        self.desks.close()


def _judge(desk: Desk, plan: Plan, request: ScoreRequest, given: Arrivals) -> Dropped:
    """What each table drops; a table that says nothing of times needs no look."""
    dropped: Dropped = {}
    for table, rows in given.tables.items():
        says_when = rows[str(plans.RULES[table].when)].null_count < len(rows)
        dropped[table] = judging.check(request, table, desk.rows(plan.judged[table])) if says_when else {}
    return dropped


def _as_asked(found: Columns, request: ScoreRequest) -> Columns:
    """The feature table in the order of the request, without those who were not known yet."""
    row_of = {customer_id: row for row, customer_id in enumerate(found["customer_id"])}
    rows = [row_of[c.customer_id] for c in request.customers if c.customer_id in row_of]
    return {name: column[rows] for name, column in found.items()}


def _in_words(scored: pa.Table, features: Columns, lang: Language, currency: str) -> list[dict[str, Any]]:
    columns = {name: scored[name].to_pylist() for name in scored.column_names}
    facts = {name: column for name, column in features.items() if name != "customer_id"}
    columns["reason_texts"] = wording.reasons(columns["reasons"], facts, lang, currency)
    columns["action_text"] = wording.actions(columns["action"], lang)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
