from __future__ import annotations

import json
import re
from typing import Any

import pydantic_core
import pytest

from tiercast.serving.http import error_responses, openapi, routes
from tiercast.serving.online import requests

DOCUMENT = json.loads(pydantic_core.to_json(openapi.document(routes.ENDPOINTS)))
OPERATIONS = {(method, path): result for path, item in DOCUMENT["paths"].items() for method, result in item.items()}


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        return set().union(*map(references, part.values()), {part["$ref"]} if "$ref" in part else set())
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_every_route_is_documented_with_its_role() -> None:
    assert set(OPERATIONS) == {(endpoint.method.lower(), endpoint.path) for endpoint in routes.ENDPOINTS}
    for endpoint in routes.ENDPOINTS:
        operation = OPERATIONS[endpoint.method.lower(), endpoint.path]
        assert ("security" in operation) == bool(endpoint.roles)
        assert all(role in operation.get("description", "") for role in endpoint.roles)
        assert operation["summary"].endswith(".")


def test_every_error_of_every_route_has_one_shape() -> None:
    for operation in OPERATIONS.values():
        for status, response in operation["responses"].items():
            if status not in ("200", "202"):
                assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}
                assert response["description"]


def test_every_reference_exists_and_every_schema_is_used() -> None:
    used = {name.rpartition("/")[2] for name in references(DOCUMENT)}
    assert used == set(DOCUMENT["components"]["schemas"])


def test_no_path_has_a_parameter() -> None:
    assert not [endpoint.path for endpoint in routes.ENDPOINTS if re.search(r"[{}<>:]", endpoint.path)]


def test_every_error_status_has_its_default_texts() -> None:
    for endpoint in routes.ENDPOINTS:
        assert set(openapi.statuses(endpoint)) - {200, 202} <= set(error_responses.DEFAULTS)


def test_the_names_of_operations_are_unique_and_plain() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)


def test_the_example_can_be_sent_as_it_is(client: Any) -> None:
    (example,) = OPERATIONS["post", "/v1/score"]["requestBody"]["content"]["application/json"]["examples"].values()
    response = client.post("/v1/score", json=example["value"])
    assert [row["tier"] for row in response.json()["scores"]][1] == "F"


def test_it_is_served_under_both_names_and_bentomls_clients_find_theirs_in_the_second(client: Any) -> None:
    served, schema = client.get("/docs.json").json(), client.get("/schema.json").json()
    assert served == DOCUMENT == {name: schema[name] for name in served}
    assert set(schema) - set(served) == {"name", "type", "routes", "description"}
    assert [(route["name"], route["route"]) for route in schema["routes"]] == [("score", "/v1/score")]


@pytest.mark.parametrize("customer_id", ["a\n", " ", "\x7f", "\x85", "a\u0000b"])
def test_the_pattern_of_an_id_means_the_same_in_python_as_in_the_service(customer_id: str) -> None:
    (pattern,) = (
        result["properties"]["customer_id"]["pattern"]
        for name, result in DOCUMENT["components"]["schemas"].items()
        if name == "Customer"
    )
    assert not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), customer_id)
    with pytest.raises(ValueError, match="customer_id"):
        requests.Customer(customer_id=customer_id, transactions=[])
