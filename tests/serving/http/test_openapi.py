from __future__ import annotations

import json
import re
from typing import Any

import pydantic_core
import pytest

from tiercast.serving.http import error_responses, openapi, routes
from tiercast.serving.online import requests

DOCUMENT = json.loads(pydantic_core.to_json(openapi.document(routes.ENDPOINTS)))
OPERATIONS = {(method, path): found for path, item in DOCUMENT["paths"].items() for method, found in item.items()}


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        return set().union(*map(references, part.values()), {part["$ref"]} if "$ref" in part else set())
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_every_route_is_documented_with_its_role() -> None:
    assert set(OPERATIONS) == {(endpoint.method.lower(), endpoint.path) for endpoint in routes.ENDPOINTS}
    for endpoint in routes.ENDPOINTS:
        said = OPERATIONS[endpoint.method.lower(), endpoint.path]
        assert ("security" in said) == bool(endpoint.roles)
        assert all(role in said.get("description", "") for role in endpoint.roles)
        assert said["summary"].endswith(".")


def test_every_refusal_of_every_route_has_the_one_shape() -> None:
    for said in OPERATIONS.values():
        for status, answer in said["responses"].items():
            if status not in ("200", "202"):
                assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}
                assert answer["description"]


def test_every_reference_leads_somewhere_and_nothing_lies_about() -> None:
    used = {name.rpartition("/")[2] for name in references(DOCUMENT)}
    assert used == set(DOCUMENT["components"]["schemas"])


def test_no_address_has_a_place_for_a_customer() -> None:
    assert not [endpoint.path for endpoint in routes.ENDPOINTS if re.search(r"[{}<>:]", endpoint.path)]


def test_every_status_that_can_be_refused_with_has_its_words() -> None:
    for endpoint in routes.ENDPOINTS:
        assert set(openapi.statuses(endpoint)) - {200, 202} <= set(error_responses.DEFAULTS)


def test_the_names_of_operations_are_unique_and_plain() -> None:
    names = [said["operationId"] for said in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)


def test_the_example_can_be_sent_as_it_is(client: Any) -> None:
    (example,) = OPERATIONS["post", "/v1/score"]["requestBody"]["content"]["application/json"]["examples"].values()
    answer = client.post("/v1/score", json=example["value"])
    assert [row["tier"] for row in answer.json()["scores"]][1] == "F"


def test_it_is_served_under_both_names_and_bentomls_clients_find_theirs_in_the_second(client: Any) -> None:
    served, schema = client.get("/docs.json").json(), client.get("/schema.json").json()
    assert served == DOCUMENT == {name: schema[name] for name in served}
    assert set(schema) - set(served) == {"name", "type", "routes", "description"}
    assert [(route["name"], route["route"]) for route in schema["routes"]] == [("score", "/v1/score")]


@pytest.mark.parametrize("customer_id", ["a\n", " ", "\x7f", "\x85", "a\u0000b"])
def test_the_pattern_of_an_id_means_the_same_in_python_as_in_the_service(customer_id: str) -> None:
    (pattern,) = (
        found["properties"]["customer_id"]["pattern"]
        for name, found in DOCUMENT["components"]["schemas"].items()
        if name == "Customer"
    )
    assert not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), customer_id)
    with pytest.raises(ValueError, match="customer_id"):
        requests.Customer(customer_id=customer_id, transactions=[])
