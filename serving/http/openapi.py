"""The interface as one OpenAPI 3.1 document, made from the table of endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tiercast.serving.http import error_responses, schemas
from tiercast.serving.http.endpoint import Endpoint

VERSION = "1"
REF = "#/components/schemas/{model}"
ABOUT = (
    "Forward-looking customer tiers: value, risk of leaving, reasons and what to do next. Every refusal has the shape "
    "`Error`. No customer's id ever stands in an address."
)
SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key made with `tiercast keys add`: tck_id_secret."}
}
SUCCESS = {200: "The response.", 202: "Accepted; it is done later."}
REQUEST_ID = {"description": "The request's id, as in the log.", "schema": {"type": "string"}}


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """All addresses with their roles, models, examples and statuses."""
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tiercast", "version": VERSION, "description": ABOUT},
        "paths": paths,
        "components": {"schemas": _schemas(endpoints), "securitySchemes": SECURITY},
    }


def statuses(endpoint: Endpoint) -> list[int]:
    """Every status that an endpoint can respond with.

    Endpoints with roles can respond 400 and 503: two Authorization headers, keys that were never read.
    """
    keyed = (400, 401, 403, 429, 503, 504) if endpoint.roles else ()
    bodied = (400, 408, 413, 415, 422) if endpoint.request else ()
    return sorted({200, 500, *keyed, *bodied, *endpoint.statuses})


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    name = endpoint.path.strip("/").replace("/", "_").replace(".", "_") or "index"
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": f"{endpoint.method.lower()}_{name}",
        "responses": {str(status): _response(endpoint, status) for status in statuses(endpoint)},
    }
    if endpoint.roles:
        operation["security"] = [{"key": []}]
        operation["description"] = f"Needs a key with the role {' or '.join(endpoint.roles)}; admin may ask too."
    if endpoint.request is not None:
        content = {"application/json": _content(endpoint.request, endpoint.example)}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _response(endpoint: Endpoint, status: int) -> dict[str, Any]:
    common = {"headers": {"X-Request-Id": REQUEST_ID}}
    if status in SUCCESS:
        kinds = {kind: _content(model, endpoint.response_example) for kind, model in endpoint.responses.items()}
        return {"description": SUCCESS[status], "content": kinds, **common}
    code, message, hint = error_responses.DEFAULTS[status]
    example = {"error": {"code": code, "message": message, "hint": hint, "request_id": "0" * 32}}
    words = f"{message[0].upper()}{message[1:]}."
    return {"description": words, "content": {"application/json": _content(schemas.Error, example)}, **common}


def _content(model: type[BaseModel] | None, example: Mapping[str, Any] | None) -> dict[str, Any]:
    if model is None:
        return {"schema": {"type": "string"}}
    content: dict[str, Any] = {"schema": {"$ref": REF.format(model=model.__name__)}}
    return content if example is None else {**content, "examples": {"one": {"value": example}}}


def _schemas(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    sent = {endpoint.request for endpoint in endpoints if endpoint.request is not None}
    returned = {model for endpoint in endpoints for model in endpoint.responses.values() if model is not None}
    modes = [
        *((model, "validation") for model in sorted(sent, key=_name)),
        *((model, "serialization") for model in sorted({*returned, schemas.Error}, key=_name)),
    ]
    _, schema = models_json_schema(modes, ref_template=REF)  # type: ignore[arg-type]
    definitions: dict[str, Any] = schema["$defs"]
    return definitions


def _name(model: Any) -> str:
    return str(model.__name__)
