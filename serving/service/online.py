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

import pyarrow as pa
from numpy.typing import NDArray

from contract import errors
from features.engines.arrays import Answers
from features.engines.arrays import column as columns
from features.spec import MARGIN
from models import bundle as bundles
from models.bundle import Bundle
from serving import score
from serving.service import arrivals, judging, plans, wording
from serving.service.requests import ScoreRequest

Answer = dict[str, Any]
Columns = dict[str, NDArray[Any]]
Dropped = dict[str, dict[str, int]]
NOTHING_DROPPED: Dropped = {table: {} for table in plans.RULES}


class Online:
    """A bundle that answers. `answer` may be called by several threads at once."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

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
                sound.setdefault(arrivals.refuse(request, self.bundle.spec), []).append(number)
            except errors.TiercastError as error:
                found[number] = error
        for has_margin, numbers in sound.items():
            told = self._alike([requests[number] for number in numbers], has_margin)
            found |= dict(zip(numbers, told, strict=True))
        return [found[number] for number in range(len(requests))]

    def _alike(self, requests: Sequence[ScoreRequest], has_margin: bool) -> list[Answer | errors.TiercastError]:
        plan = plans.of(self.bundle.spec, requests[0].as_of, has_margin)
        given = arrivals.arrange(requests, self.bundle.spec)
        found = plan.run(given)
        judged = _judge(found, requests, given)
        rows = self._rows(_features(found), requests)
        return [_answer(self.bundle, *each) for each in zip(requests, judged, rows, strict=True)]

    def _rows(self, features: Columns, requests: Sequence[ScoreRequest]) -> Iterator[list[Answer]]:
        """Per request the scores, in its order, without those who were not known yet."""
        row_of = {customer_id: row for row, customer_id in enumerate(features["customer_id"])}
        known = [[row_of[c.customer_id] for c in each.customers if c.customer_id in row_of] for each in requests]
        order = list(itertools.chain.from_iterable(known))
        langs = [request.lang for request, rows in zip(requests, known, strict=True) for _ in rows]
        ordered = {name: column[order] for name, column in features.items()}
        scored = score.score(bundles.dated(self.bundle, requests[0].as_of), pa.table(ordered))
        rows = iter(_in_words(scored, ordered, langs, self.bundle.about.currency))
        return (list(itertools.islice(rows, len(each))) for each in known)

    def warm_up(self, as_of: dt.date) -> None:
        """Have the plan of a day ready, so that the first caller does not wait; score nobody once."""
        spec = self.bundle.spec
        nobody = {table: schema.empty_table() for table, schema in arrivals.schemas(spec).items()}
        found = plans.of(spec, as_of, MARGIN in spec.columns).run(nobody)
        for table in plans.RULES:
            list(found.rows(plans.findings(table)))
        score.score(bundles.dated(self.bundle, as_of), pa.table(_features(found)))


def _features(found: Answers) -> Columns:
    """The feature table: ids as objects, numbers as float64 with NaN for null."""
    n, table = found.n_rows(plans.FEATURES), found.columns(plans.FEATURES)
    ids = table.pop("customer_id").values
    return {"customer_id": ids} | {name: columns.to_floats(column, n) for name, column in table.items()}


def _judge(
    found: Answers, requests: Sequence[ScoreRequest], given: Mapping[str, pa.Table]
) -> list[Dropped | errors.TiercastError]:
    """Per request what each table drops, or why it is refused; a table that says nothing of times needs no look."""
    told = [table for table, rules in plans.RULES.items() if _says(given[table], str(rules.when))]
    odd = [table for table in told if not judging.is_plain(found, table)]
    rows = {table: list(found.rows(plans.findings(table))) if table in odd else [] for table in plans.RULES}
    return [_judged(request, number, rows) for number, request in enumerate(requests)]


def _says(given: pa.Table, when: str) -> bool:
    return bool(given[when].null_count < given.num_rows)


def _judged(
    request: ScoreRequest, number: int, found: Mapping[str, Sequence[judging.Row]]
) -> Dropped | errors.TiercastError:
    ours = {table: [row for row in rows if row["request"] == number] for table, rows in found.items()}
    try:
        return {table: judging.check(request, table, rows) for table, rows in ours.items()}
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


def _in_words(scored: pa.Table, features: Columns, langs: Sequence[Any], currency: str) -> list[Answer]:
    columns = {name: _listed(scored[name]) for name in scored.column_names}
    facts = {name: column for name, column in features.items() if name != "customer_id"}
    columns["reason_texts"] = wording.reasons(columns["reasons"], facts, langs, currency)
    columns["action_text"] = wording.actions(columns["action"], langs)
    names = tuple(columns)
    return [dict(zip(names, row)) for row in zip(*columns.values(), strict=True)]


def _listed(column: pa.ChunkedArray) -> list[Any]:
    """The column as Python values, by way of NumPy where that is several times faster."""
    if pa.types.is_list(column.type):
        return _lists(column.combine_chunks())
    if pa.types.is_date(column.type) or (pa.types.is_boolean(column.type) and column.null_count):
        return _repeated(column)
    values: list[Any] = column.to_numpy().tolist()
    is_number_missing = column.null_count > 0 and pa.types.is_floating(column.type)
    return [None if value != value else value for value in values] if is_number_missing else values


def _lists(column: pa.ListArray) -> list[list[Any]]:
    values, ends = column.values.to_numpy(zero_copy_only=False).tolist(), column.offsets.to_numpy().tolist()
    return [values[start:end] for start, end in itertools.pairwise(ends)]


def _repeated(column: pa.ChunkedArray) -> list[Any]:
    """A column of few values: each is made once."""
    coded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    values = coded.dictionary.to_pylist()
    return [values[place] for place in coded.indices.to_numpy().tolist()]
