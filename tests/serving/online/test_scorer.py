"""Requests that are scored together get what they would get alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pydantic_core
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving.score_requests import score_body
from tiercast.contract import errors
from tiercast.models import bundle_folder
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import Scorer

TIMES = (
    "1997-05-01",
    "1998-01-03T10:00:00",
    "1998-06-30T23:30:00-01:00",
    "1998-02-28 23:59:59Z",
    "1999-01-01",
    "1998-13-01",
)
AMOUNTS = (12.5, 0.0, -3.25, 1e12, 999.99)


@pytest.fixture(scope="module")
def scorer(served: Path) -> Scorer:
    return Scorer(bundle_folder.load(served))


def lines() -> st.SearchStrategy[list[dict[str, Any]]]:
    seldom_wrong = st.sampled_from(TIMES[:4] * 4 + TIMES[4:]), st.sampled_from(AMOUNTS[:3] * 6 + AMOUNTS[3:])
    fields = {"ordered_at": seldom_wrong[0], "amount": seldom_wrong[1], "quantity": st.sampled_from([1, 2, None])}
    return st.lists(st.fixed_dictionaries(fields), max_size=4)


@st.composite
def several(draw: st.DrawFn) -> list[ScoreRequest]:
    """Requests of one day without a customer in common; now and then one that has no quantity or speaks of margins."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    requests: list[ScoreRequest] = []
    number = 0
    for size in sizes:
        people: list[dict[str, Any]] = []
        for _ in range(size):
            number += 1
            people.append({"customer_id": f"c-{number:03d}", "transactions": draw(lines())})
            people[-1] |= draw(st.sampled_from([{}, {}, {"joined_on": "1998-01-01"}, {"joined_on": "1998-08-01"}]))
        odd = draw(st.sampled_from(["", "", "", "", "no quantity", "margin"]))
        for line in (line for each in people for line in each["transactions"]):
            if odd == "no quantity":
                del line["quantity"]
            if odd == "margin":
                line["margin"] = 1.0
        body = score_body(*people, lang=draw(st.sampled_from(["en", "zh"])))
        requests.append(ScoreRequest.model_validate_json(json.dumps(body)))
    return requests


def payload(response: Any) -> Any:
    """What the client receives, byte by byte."""
    return response.as_dict() if isinstance(response, errors.TiercastError) else pydantic_core.to_json(response)


def alone(scorer: Scorer, request: ScoreRequest) -> Any:
    try:
        return scorer.score(request)
    except errors.TiercastError as error:
        return error


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=several())
def test_each_of_several_requests_gets_the_bytes_that_it_would_get_alone(
    scorer: Scorer, requests: list[ScoreRequest]
) -> None:
    together = scorer.score_batch(requests)
    assert [payload(each) for each in together] == [payload(alone(scorer, request)) for request in requests]


def test_a_refused_request_takes_no_other_with_it(scorer: Scorer) -> None:
    good, bad = ({"customer_id": key, "transactions": [{"ordered_at": day, "amount": 1, "quantity": 1}]} for key, day in
                 (("good", "1998-01-01"), ("bad", "yesterday")))  # fmt: skip
    requests = [ScoreRequest.model_validate_json(json.dumps(score_body(each))) for each in (bad, good)]
    refused, answered = scorer.score_batch(requests)
    assert isinstance(refused, errors.WrongType)
    assert refused.first == "customers.0.transactions.0"
    assert isinstance(answered, dict)
    assert [row["customer_id"] for row in answered["scores"]] == ["good"]
