"""The scorer: requests in, scores out, by the same expressions and models as a batch job and without files.

Requests are scored in one batch, because most of the time for one customer does not depend on their number. Each
request gets the bytes that it would get alone: no feature or score depends on other customers, and rows are validated
per request.
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
from tiercast.features.engines.arrays import Results
from tiercast.features.engines.arrays import column as columns
from tiercast.features.spec import MARGIN
from tiercast.models import bundle as bundles
from tiercast.models.bundle import Bundle
from tiercast.models.frame import Frame
from tiercast.serving import score
from tiercast.serving.online import letter_changes, messages, plan_cache, request_columns, request_validation
from tiercast.serving.online.request_validation import Dropped
from tiercast.serving.online.requests import ScoreRequest
from tiercast.tiers import letter_change

Row = dict[str, Any]
"""The scores of one customer: the contract's columns, and their texts."""
Response = dict[str, Any]
"""What `POST /v1/score` responds, see `ScoreResponse`."""
Features = dict[str, NDArray[Any]]
SMALL_CUSTOMERS, SMALL_ROWS = 16, 500


class Scorer:
    """Scores requests with a bundle. Several threads may call it at once."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def is_quick(self, request: ScoreRequest) -> bool:
        """Whether scoring takes little longer than for one customer with one purchase."""
        rows = sum(len(customer.transactions) + len(customer.interactions) for customer in request.customers)
        is_small = len(request.customers) <= SMALL_CUSTOMERS and rows <= SMALL_ROWS
        spec = self.bundle.spec
        return is_small and not request.letter_change and plan_cache.has(spec, request.as_of, MARGIN in spec.columns)

    def score(self, request: ScoreRequest) -> Response:
        """The response to one request, with its customers in their order. Raises `BadInput`."""
        (response,) = self.score_batch([request])
        if isinstance(response, errors.TiercastError):
            raise response
        return response

    def score_batch(self, requests: Sequence[ScoreRequest]) -> list[Response | errors.TiercastError]:
        """One entry per request: the response, or the error that `score` would raise.

        All requests have the same `as_of`, and no customer is in two of them.
        """
        entries: dict[int, Response | errors.TiercastError] = {}
        accepted: dict[bool, list[int]] = {}
        for number, request in enumerate(requests):
            try:
                bundles.dated(self.bundle, request.as_of)
                letter_changes.check(request)
                accepted.setdefault(request_columns.check(request, self.bundle.spec), []).append(number)
            except errors.TiercastError as error:
                entries[number] = error
        for has_margin, numbers in accepted.items():
            responses = self._responses([requests[number] for number in numbers], has_margin)
            entries |= dict(zip(numbers, responses, strict=True))
        return [entries[number] for number in range(len(requests))]

    def _responses(self, requests: Sequence[ScoreRequest], has_margin: bool) -> list[Response | errors.TiercastError]:
        plan = plan_cache.get(self.bundle.spec, requests[0].as_of, has_margin)
        tables = request_columns.build(requests, self.bundle.spec)
        results = plan.run(tables)
        dropped = request_validation.validate(requests, tables, results)
        rows = self._rows(_features(results), requests)
        rows = (self._with_changes(*each) for each in zip(requests, dropped, rows, strict=True))
        return [_response(self.bundle, *each) for each in zip(requests, dropped, rows, strict=True)]

    def _with_changes(
        self, request: ScoreRequest, dropped: Mapping[str, Dropped] | errors.TiercastError, rows: list[Row]
    ) -> list[Row]:
        """The rows, with what would change each letter where the request asks for it and can be read."""
        if not request.letter_change or isinstance(dropped, errors.TiercastError):
            return rows
        changes = letter_changes.find(self.score, request, self.bundle.about.churn_days)
        return [row | letter_change.as_fields(changes.get(row["customer_id"]), request.lang) for row in rows]

    def _rows(self, features: Features, requests: Sequence[ScoreRequest]) -> Iterator[list[Row]]:
        """Per request the rows of its customers, in its order; without those not yet known on the day."""
        row_of = {customer_id: row for row, customer_id in enumerate(features["customer_id"])}
        known = [[row_of[c.customer_id] for c in each.customers if c.customer_id in row_of] for each in requests]
        order = np.fromiter(itertools.chain.from_iterable(known), np.intp)
        langs = [request.lang for request, rows in zip(requests, known, strict=True) for _ in rows]
        frame = {name: features[name][order] for name in self.bundle.spec.names}
        ids = features["customer_id"][order].tolist()
        rows = iter(_with_texts(bundles.dated(self.bundle, requests[0].as_of), ids, frame, langs))
        return (list(itertools.islice(rows, len(each))) for each in known)

    def warm_up(self, as_of: dt.date) -> None:
        """Compile the plan of a day and score an empty table, so that the first request does not wait."""
        spec = self.bundle.spec
        results = plan_cache.get(spec, as_of, MARGIN in spec.columns).run(request_columns.build([], spec))
        for table in plan_cache.RULES:
            list(results.rows(plan_cache.findings(table)))
        score.score(bundles.dated(self.bundle, as_of), pa.table(_features(results)))


def load(bundle: Bundle) -> Scorer:
    """A scorer that is warmed up for today's requests (UTC)."""
    scorer = Scorer(bundle)
    scorer.warm_up(max(dt.datetime.now(dt.UTC).date(), bundle.about.as_of))
    return scorer


def _features(results: Results) -> Features:
    """The feature table: ids as objects, numbers as float64 with NaN for null."""
    n, table = results.n_rows(plan_cache.FEATURES), results.columns(plan_cache.FEATURES)
    ids = table.pop("customer_id").values
    return {"customer_id": ids} | {name: columns.to_floats(column, n) for name, column in table.items()}


def _response(
    bundle: Bundle, request: ScoreRequest, dropped: Mapping[str, Dropped] | errors.TiercastError, rows: list[Row]
) -> Response | errors.TiercastError:
    if isinstance(dropped, errors.TiercastError):
        return dropped
    about = bundle.about
    facts = {"as_of": request.as_of, "model": about.model, "currency": about.currency}
    return {**facts, "scores": rows, "dropped": dropped}


def _with_texts(bundle: Bundle, ids: list[str], frame: Frame, langs: Sequence[Any]) -> list[Row]:
    scored = {"customer_id": ids, **score.score_lists(bundle, frame)}
    scored["reason_texts"] = messages.reason_texts(scored["reasons"], frame, langs, bundle.about.currency)
    scored["action_text"] = messages.action_texts(scored["action"], langs)
    scored["value_text"] = messages.value_texts(scored, langs)
    names = tuple(scored)
    return [dict(zip(names, row)) for row in zip(*scored.values(), strict=True)]
