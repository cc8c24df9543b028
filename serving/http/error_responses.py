"""Error responses: every one is {"error": {"code", "message", "hint", "request_id", "fields"?, "count"?, "total"?}}.

No response quotes a value that the client sent, and the name of a field only if it looks like one.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pydantic
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tiercast.contract import errors
from tiercast.serving.http import request_context

Handler = Callable[[Request, Exception], Awaitable[Response]]
Handlers = dict[Any, Handler]
MAX_FIELDS, MAX_PATH_CHARACTERS = 20, 200
DOCS = "GET /docs.json describes every request"
OUR_TABLES = ("customers", "transactions", "interactions")
PLAIN_NAME = re.compile(r"[a-z][a-z_]{0,39}")
HIDDEN_NAME = "(a name that is not shown)"
KEY_HINT = "send the header Authorization: Bearer tck_...; an admin makes one with tiercast keys add"
# Status: code, message, hint.
DEFAULTS = {
    400: ("NotJson", "the body is not JSON", "send one JSON object in UTF-8, each name once"),
    401: ("NoKey", "this needs a key", KEY_HINT),
    403: ("WrongRole", "the key may not do this", "ask for a key with the role that /docs.json names for this address"),
    404: ("NotFound", "there is nothing at this address", DOCS),
    405: ("MethodNotAllowed", "this address does not take this method", "the Allow header says which it takes"),
    408: ("BodyTooSlow", "the body did not arrive in time", "send it at once, with the length that its header says"),
    409: ("Conflict", "this does not go with the present state", "look at the present state and ask again"),
    410: ("Gone", "this is no longer kept", "start again without it"),
    413: ("BodyTooLarge", "the body is too large", "send fewer customers per request"),
    415: ("WrongMediaType", "the body must be application/json in UTF-8", "send Content-Type: application/json"),
    422: ("InvalidRequest", "the request does not fit", DOCS),
    429: ("TooManyRequests", "this key sends too many requests", "wait as long as the Retry-After header says"),
    500: ("InternalError", "something went wrong on our side", "try again; if it stays, look at the server's log"),
    503: ("NotReady", "the service is not ready", "try again in a few seconds"),
    504: ("TooLate", "the response took too long", "try again, with fewer customers per request"),
}


class HttpError(Exception):
    """Raised while a request is handled: its status, its headers, and what differs from the default texts."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None, **fields: Any) -> None:
        super().__init__(status)
        self.status, self.headers, self.fields = status, headers, fields


def response(status: int, headers: Mapping[str, str] | None = None, **fields: Any) -> JSONResponse:
    """The response for a status, in its default texts unless `fields` has others."""
    code, message, hint = DEFAULTS.get(status, DEFAULTS[500 if status >= 500 else 422])
    request_id = request_context.current().request_id
    return JSONResponse(
        {"error": {"code": code, "message": message, "hint": hint, **fields, "request_id": request_id}}, status, headers
    )


def from_http_error(error: HttpError) -> JSONResponse:
    return response(error.status, error.headers, **error.fields)


def from_tiercast_error(error: errors.TiercastError) -> JSONResponse:
    """422 for bad input, 503 for a store that is away, else 500. `first` becomes the path of the wrong field."""
    if isinstance(error, errors.StoreUnavailable):
        return response(503, {"Retry-After": "5"}, code=type(error).__name__, message="the score store does not answer")
    if not isinstance(error, errors.BadInput):
        return response(500)
    fields: dict[str, Any] = {name: part for name, part in error.as_dict().items() if part is not None}
    fields.pop("first", None)
    if error.first is not None:
        parts = error.first.split(".")  # below a table, names are the bundle's own, such as an attribute's
        path = error.first if parts[0] in OUR_TABLES else _path(parts)
        fields["fields"] = [{"path": path, "message": error.what}]
    return response(422, **fields)


def from_validation_error(error: pydantic.ValidationError) -> JSONResponse:
    """422 with the wrong fields; 400 for a body that is not JSON."""
    details = error.errors(include_input=False, include_context=False, include_url=False)
    if any(detail["type"] == "json_invalid" for detail in details):
        return response(400, message=f"the body is not JSON: {details[0]['msg'].removeprefix('Invalid JSON: ')}")
    is_cut = len(details) > MAX_FIELDS
    return response(
        422,
        message=f"{len(details):,} field{'s do' if len(details) > 1 else ' does'} not fit",
        hint=f"correct the fields{'; these are the first of them' if is_cut else ''}",
        fields=[{"path": _path(detail["loc"]), "message": detail["msg"]} for detail in details[:MAX_FIELDS]],
    )


def _from_starlette(error: HTTPException) -> JSONResponse:
    """The router's own 404 and 405; its `Allow` header lists the methods in any order."""
    allowed = sorted((error.headers or {}).get("Allow", "").split(", "))
    return response(error.status_code, {"Allow": ", ".join(allowed)} if error.status_code == 405 else None)


def handler(render: Callable[[Any], Response]) -> Handler:
    """A Starlette exception handler that renders the exception."""

    async def handle(_: Request, error: Exception) -> Response:
        return render(error)

    return handle


HANDLERS: Handlers = {
    HttpError: handler(from_http_error),
    HTTPException: handler(_from_starlette),
    errors.TiercastError: handler(from_tiercast_error),
    pydantic.ValidationError: handler(from_validation_error),
}
"""Starlette's exception handlers; any other exception is a fault, see `access_log`."""


def _path(parts: Sequence[object]) -> str:
    """The path of a field in the request, without names that may be values, such as an address as a key.

    >>> _path(["customers", 0, "ann@example.org"]), _path([])
    ('customers.0.(a name that is not shown)', '(body)')
    """
    names = [str(part) if _is_plain(part) else HIDDEN_NAME for part in parts]
    return ".".join(names)[:MAX_PATH_CHARACTERS] or "(body)"


def _is_plain(part: object) -> bool:
    text = str(part)
    return isinstance(part, int) or bool(PLAIN_NAME.fullmatch(text)) or (text.isdecimal() and len(text) <= 4)
