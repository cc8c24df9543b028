"""The OpenAPI document against hundreds of generated requests."""

from __future__ import annotations

import json
from typing import Any

import pydantic_core
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis import GenerationMode, checks
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks as promised

from tiercast.serving.http import openapi, routes

HERE = "http://127.0.0.1"
SCHEMA = schemathesis.openapi.from_dict(json.loads(pydantic_core.to_json(openapi.document(routes.ENDPOINTS))))
OPERATIONS = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations() if isinstance(each, Ok)}
CHECKS = [
    checks.not_a_server_error,
    promised.status_code_conformance,
    promised.content_type_conformance,
    promised.response_schema_conformance,
    promised.response_headers_conformance,
]


def send(client: Any, case: schemathesis.Case, **headers: str) -> Any:
    """Send a made-up request to the service in this process, as bytes."""
    prepared = requests.Request(**case.as_transport_kwargs(base_url=HERE, headers=headers)).prepare()
    return client.request(prepared.method, prepared.url, content=prepared.body or b"", headers=dict(prepared.headers))


NEED_A_STORE = [f"{endpoint.method} {endpoint.path}" for endpoint in routes.STORED]  # see http/scores


@pytest.mark.parametrize("label", [label for label in OPERATIONS if label not in NEED_A_STORE])
def test_every_response_is_documented(client: Any, label: str) -> None:
    send_many(client, label)


def send_many(client: Any, label: str) -> None:
    """Ask one address in every way that fits its description, and in many that do not."""
    has_body, seen = label.startswith("POST"), set()

    @settings(
        max_examples=40 if has_body else 3, derandomize=True, database=None, deadline=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=strategies.data())
    def keeps_its_promise(data: strategies.DataObject) -> None:
        for mode in GenerationMode if has_body else [GenerationMode.POSITIVE]:
            case = data.draw(OPERATIONS[label].as_strategy(generation_mode=mode))
            response = send(client, case)
            seen.add(response.status_code)
            case.validate_response(response, checks=CHECKS)

    keeps_its_promise()
    good = 404 if "/v1/jobs" in label else 200  # this service runs no jobs
    assert seen >= ({good, 422} if has_body else {good})  # requests that are all refused at the first look show little
