"""Customers in, scores out, in one process and without files: the batch job's own steps on the rows of requests.

Requests that fit together are scored together, because most of the time for one customer does not depend on how many
there are. Each gets exactly what it would get alone: customers do not see each other in any feature or score, and each
request's rows are judged apart.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tiercast.contract import errors
from tiercast.features.engines.arrays import Answers, Given
from tiercast.features.engines.arrays import column as columns
from tiercast.features.spec import MARGIN
from tiercast.models import bundle as bundles
from tiercast.models.bundle import Bundle
from tiercast.models.frame import Frame
from tiercast.serving import score
from tiercast.serving.online import messages, plan_cache, request_columns, score_columns, validation
from tiercast.serving.online.requests import ScoreRequest

Answer = dict[str, Any]
Columns = dict[str, NDArray[Any]]
Dropped = dict[str, dict[str, int]]
QUICK_CUSTOMERS, QUICK_ROWS = 16, 500
NOTHING_DROPPED: Dropped = {table: {} for table in plan_cache.RULES}


class Online:
    """A bundle that answers. `answer` may be called by several threads at once."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def is_quick(self, request: ScoreRequest) -> bool:
        """Whether the answer takes hardly longer than one for a customer with a purchase."""
        rows = sum(len(customer.transactions) + len(customer.interactions) for customer in request.customers)
        is_small = len(request.customers) <= QUICK_CUSTOMERS and rows <= QUICK_ROWS
        spec = self.bundle.spec
        return is_small and plan_cache.is_ready(spec, request.as_of, MARGIN in spec.columns)

    def answer(self, request: ScoreRequest) -> Answer:
        """What `answers.ScoreAnswer` describes, customers in the order of the request. Raises `BadInput`."""
        (answer,) = self.answers([request])
        if isinstance(answer, errors.TiercastError):
            raise answer
        return answer

    def answers(self, requests: Sequence[ScoreRequest]) -> list[Answer | errors.TiercastError]:
        """Per request its answer, or the error that `answer` would raise.

        All have the same `as_of`, and no customer is in two of them.
        """
        found: dict[int, Answer | errors.TiercastError] = {}
        sound: dict[bool, list[int]] = {}
        for number, request in enumerate(requests):
            try:
                bundles.dated(self.bundle, request.as_of)
                sound.setdefault(request_columns.refuse(request, self.bundle.spec), []).append(number)
            except errors.TiercastError as error:
                found[number] = error
        for has_margin, numbers in sound.items():
            told = self._alike([requests[number] for number in numbers], has_margin)
            found |= dict(zip(numbers, told, strict=True))
        return [found[number] for number in range(len(requests))]

    def _alike(self, requests: Sequence[ScoreRequest], has_margin: bool) -> list[Answer | errors.TiercastError]:
        plan = plan_cache.of(self.bundle.spec, requests[0].as_of, has_margin)
        given = request_columns.arrange(requests, self.bundle.spec)
        found = plan.run(given)
        judged = _judge(found, requests, given)
        rows = self._rows(_features(found), requests)
        return [_answer(self.bundle, *each) for each in zip(requests, judged, rows, strict=True)]

    def _rows(self, features: Columns, requests: Sequence[ScoreRequest]) -> Iterator[list[Answer]]:
        """Per request the scores, in its order, without those who were not known yet."""
        row_of = {customer_id: row for row, customer_id in enumerate(features["customer_id"])}
        known = [[row_of[c.customer_id] for c in each.customers if c.customer_id in row_of] for each in requests]
        order = np.fromiter(itertools.chain.from_iterable(known), np.intp)
        langs = [request.lang for request, rows in zip(requests, known, strict=True) for _ in rows]
        frame = {name: features[name][order] for name in self.bundle.spec.names}
        ids = features["customer_id"][order].tolist()
        rows = iter(_in_words(bundles.dated(self.bundle, requests[0].as_of), ids, frame, langs))
        return (list(itertools.islice(rows, len(each))) for each in known)

    def warm_up(self, as_of: dt.date) -> None:
        """Have the plan of a day ready, so that the first caller does not wait; score nobody once."""
        spec = self.bundle.spec
        found = plan_cache.of(spec, as_of, MARGIN in spec.columns).run(request_columns.arrange([], spec))
        for table in plan_cache.RULES:
            list(found.rows(plan_cache.findings(table)))
        score.score(bundles.dated(self.bundle, as_of), pa.table(_features(found)))


def _features(found: Answers) -> Columns:
    """The feature table: ids as objects, numbers as float64 with NaN for null."""
    n, table = found.n_rows(plan_cache.FEATURES), found.columns(plan_cache.FEATURES)
    ids = table.pop("customer_id").values
    return {"customer_id": ids} | {name: columns.to_floats(column, n) for name, column in table.items()}


def _judge(
    found: Answers, requests: Sequence[ScoreRequest], given: Mapping[str, Given]
) -> list[Dropped | errors.TiercastError]:
    """Per request what each table drops, or why it is refused; a table that says nothing of times needs no look."""
    told = [table for table, rules in plan_cache.RULES.items() if columns.says(given[table].columns[str(rules.when)])]
    odd = [table for table in told if not validation.is_plain(found, table)]
    rows = {table: list(found.rows(plan_cache.findings(table))) if table in odd else [] for table in plan_cache.RULES}
    return [_judged(request, number, rows) for number, request in enumerate(requests)]


def _judged(
    request: ScoreRequest, number: int, found: Mapping[str, Sequence[validation.Row]]
) -> Dropped | errors.TiercastError:
    ours = {table: [row for row in rows if row["request"] == number] for table, rows in found.items()}
    try:
        return {table: validation.check(request, table, rows) for table, rows in ours.items()}
    except errors.TiercastError as error:
        return error


def _answer(
    bundle: Bundle, request: ScoreRequest, dropped: Dropped | errors.TiercastError, rows: list[Answer]
) -> Answer | errors.TiercastError:
    if isinstance(dropped, errors.TiercastError):
        return dropped
    about = bundle.about
    facts = {"as_of": request.as_of, "model": about.model, "currency": about.currency}
    return {**facts, "scores": rows, "dropped": dropped}


def _in_words(bundle: Bundle, ids: list[str], frame: Frame, langs: Sequence[Any]) -> list[Answer]:
    columns = {"customer_id": ids, **score_columns.columns(bundle, frame)}
    columns["reason_texts"] = messages.reasons(columns["reasons"], frame, langs, bundle.about.currency)
    columns["action_text"] = messages.actions(columns["action"], langs)
    names = tuple(columns)
    return [dict(zip(names, row)) for row in zip(*columns.values(), strict=True)]
