"""The interface as one OpenAPI 3.1 document, made from the table of routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pydantic_core
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tiercast.serving.http import error_responses, schemas

if TYPE_CHECKING:
    from tiercast.serving.http.routes import Route

VERSION = "1"
REF = "#/components/schemas/{model}"
ABOUT = (
    "Forward-looking customer tiers: value, risk of leaving, reasons and what to do next. Every refusal has the shape "
    "`Error`. No customer's id ever stands in an address."
)
SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key made with `tiercast keys add`: tck_id_secret."}
}
ANSWERED = {200: "The answer.", 202: "Accepted, and to be done later."}
REQUEST_ID = {"description": "The request's id, as in the log.", "schema": {"type": "string"}}


def as_json(table: Sequence[Route]) -> bytes:
    return pydantic_core.to_json(document(table))


def document(table: Sequence[Route]) -> dict[str, Any]:
    """All addresses with their roles, models, examples and statuses."""
    paths: dict[str, Any] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tiercast", "version": VERSION, "description": ABOUT},
        "paths": paths,
        "components": {"schemas": _schemas(table), "securitySchemes": SECURITY},
    }


def statuses(route: Route) -> list[int]:
    """Every status that an address can answer with.

    400 and 503 can come to anybody who needs a key: two Authorization headers, keys that were never read.
    """
    keyed = (400, 401, 403, 429, 503, 504) if route.roles else ()
    bodied = (400, 408, 413, 415, 422) if route.asks else ()
    return sorted({200, 500, *keyed, *bodied, *route.statuses})


def _operation(route: Route) -> dict[str, Any]:
    said: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.method.lower()}_{route.path.strip('/').replace('/', '_').replace('.', '_') or 'index'}",
        "responses": {str(status): _response(route, status) for status in statuses(route)},
    }
    if route.roles:
        said["security"] = [{"key": []}]
        said["description"] = f"Needs a key with the role {' or '.join(route.roles)}; admin may ask too."
    if route.asks is not None:
        said["requestBody"] = {"required": True, "content": {"application/json": _content(route.asks, route.example)}}
    return said


def _response(route: Route, status: int) -> dict[str, Any]:
    told = {"headers": {"X-Request-Id": REQUEST_ID}}
    if status in ANSWERED:
        kinds = {kind: _content(model, route.answer_example) for kind, model in route.answers.items()}
        return {"description": ANSWERED[status], "content": kinds, **told}
    code, message, hint = error_responses.TOLD[status]
    example = {"error": {"code": code, "message": message, "hint": hint, "request_id": "0" * 32}}
    words = f"{message[0].upper()}{message[1:]}."
    return {"description": words, "content": {"application/json": _content(schemas.Error, example)}, **told}


def _content(model: type[BaseModel] | None, example: Mapping[str, Any] | None) -> dict[str, Any]:
    if model is None:
        return {"schema": {"type": "string"}}
    content: dict[str, Any] = {"schema": {"$ref": REF.format(model=model.__name__)}}
    return content if example is None else {**content, "examples": {"one": {"value": example}}}


def _schemas(table: Sequence[Route]) -> dict[str, Any]:
    asked = {route.asks for route in table if route.asks is not None}
    given = {model for route in table for model in route.answers.values() if model is not None} | {schemas.Error}
    ordered = sorted(asked, key=lambda model: model.__name__), sorted(given, key=lambda model: model.__name__)
    modes = [*((model, "validation") for model in ordered[0]), *((model, "serialization") for model in ordered[1])]
    _, found = models_json_schema(modes, ref_template=REF)  # type: ignore[arg-type]
    defs: dict[str, Any] = found["$defs"]
    return defs
