from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from tests.serving.score_requests import JSON, customer, purchase, refusal, score_body
from tiercast.contract import inputs, strict_json
from tiercast.serving.online import requests

VISIT = {"occurred_at": "1998-01-01", "kind": "visit"}
FULL = score_body(
    {**customer("a", purchase(), purchase(order_id="12:30")), "attributes": {"x": 1, ":": '":"'}},
    {**customer("b"), "joined_on": "1998-01-01T12:30:00", "interactions": [VISIT]},
    lang="zh",
)  # fmt: skip


def test_the_kinds_of_contact_are_those_of_the_input_tables() -> None:
    assert get_args(requests.Kind) == inputs.INTERACTION_KINDS


def names(part: Any) -> int:
    """All names of all objects: a second way, on what `json` reads."""
    if isinstance(part, dict):
        return len(part) + sum(map(names, part.values()))
    return sum(map(names, part)) if isinstance(part, list) else 0


def test_every_name_of_a_request_is_counted_once() -> None:
    request = requests.ScoreRequest.model_validate_json(json.dumps(FULL))
    assert requests.n_names(request) == names(FULL)


@pytest.mark.parametrize("indent", [None, 0, 2, "\t"])
@pytest.mark.parametrize("separators", [(",", ":"), (" , ", " : "), (",", "\n\t:\r")])
def test_a_request_without_duplicate_names_is_accepted_in_any_format(indent: Any, separators: tuple[str, str]) -> None:
    body = json.dumps(FULL, indent=indent, separators=separators).encode()
    strict_json.refuse_duplicates(body, requests.n_names(requests.ScoreRequest.model_validate_json(body)))


@pytest.mark.parametrize(
    ("once", "twice"),
    [('"as_of"', '"as_of": "1998-07-02", "as_of"'), ('"quantity": 1}', '"quantity": 1, "\\u0061mount": 3}'),
     ('"x": 1', '"x": 1, "x" \n\t : 2'), ('"kind"', '"kind":"visit" ,"kind"'),
     ('"customer_id": "b"', '"customer_id": "c", "customer_id": "b"')],
)  # fmt: skip
def test_a_duplicate_name_is_refused_wherever_it_stands(client: Any, once: str, twice: str) -> None:
    body = json.dumps(FULL).replace(once, twice, 1)
    assert body != json.dumps(FULL)
    request = requests.ScoreRequest.model_validate_json(body)  # of two equal names the later one wins
    with pytest.raises(strict_json.DuplicateNames):
        strict_json.refuse_duplicates(body.encode(), requests.n_names(request))
    error = refusal(client.post("/v1/score", content=body.encode(), headers=JSON), 400)
    assert "twice" in error["message"]


def test_the_kinds_of_contact_are_those_of_the_input_contract() -> None:
    assert get_args(requests.Kind) == inputs.INTERACTION_KINDS
