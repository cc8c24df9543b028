"""A plan tells whether the rows of a request are plain, and has the findings where they are not."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from tests.serving.score_requests import customer, purchase, score_body
from tiercast.models import bundle_folder
from tiercast.serving.online import plan_cache, request_columns, request_validation
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import Scorer

AS_OF = dt.date(1998, 7, 1)
PLAIN, UTC, LATE, UNREADABLE = "1998-01-01", "1998-01-01T10:00:00Z", "1999-01-01", "soon"


@pytest.fixture(scope="module")
def opened(served: Path) -> Scorer:
    return Scorer(bundle_folder.load(served))


def request(*times: str) -> ScoreRequest:
    body = score_body(customer("a", *map(purchase, times)), customer("b"))
    return ScoreRequest.model_validate_json(json.dumps(body))


@pytest.mark.parametrize(
    ("times", "is_plain"),
    [([PLAIN], True), ([PLAIN, PLAIN], True), ([UTC, UTC], True), ([PLAIN, UTC], False), ([PLAIN, LATE], False),
     ([PLAIN, UNREADABLE], False)],
)  # fmt: skip
def test_plain_rows_are_those_without_findings(opened: Scorer, times: list[str], is_plain: bool) -> None:
    """The findings, computed all the same, are the second way: one row without a reason, nothing unread, one zone."""
    plan = plan_cache.get(opened.bundle.spec, AS_OF, has_margin=False)
    results = plan.run(request_columns.build([request(*times)], opened.bundle.spec))
    findings = list(results.rows(plan_cache.findings("transactions")))
    nothing = [(None, 0, True)]
    assert (
        [(row["reason"], row["unread"], row["local"] in (0, row["timed"])) for row in findings] == nothing
    ) == is_plain
    assert request_validation.is_plain(results, "transactions") == is_plain
