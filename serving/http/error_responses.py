"""One shape for every no: {"error": {"code", "message", "hint", "fields"?, "request_id"?}}, with `count` and `total`
where known.

Nothing that a caller sent is quoted: not a value, and a field's name only if it looks like one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pydantic
from starlette.responses import JSONResponse, Response

from tiercast.contract import errors
from tiercast.serving.http import request_context

MOST_FIELDS, LONGEST_PLACE = 20, 200
DOCS = "GET /docs.json describes every request"
OUR_PLACES = ("customers", "transactions", "interactions")
PLAIN_NAME = re.compile(r"[a-z][a-z_]{0,39}")
NAMELESS = "(a name that is not shown)"
KEY_HINT = "send the header Authorization: Bearer tck_...; an admin makes one with tiercast keys add"
# status: code, message, hint
TOLD = {
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
    429: ("TooManyRequests", "this key asks too often", "wait as long as the Retry-After header says"),
    500: ("InternalError", "something went wrong on our side", "try again; if it stays, look at the server's log"),
    503: ("NotReady", "the service is not ready", "try again in a few seconds"),
    504: ("TooLate", "the answer took too long", "try again, with fewer customers per request"),
}


class Refused(Exception):
    """Raised anywhere while a request is answered: the status, headers, and what differs from the usual words."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(status)
        self.status, self.headers, self.more = status, headers, more

    def response(self) -> JSONResponse:
        return response(self.status, self.headers, **self.more)


def response(status: int, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    """The answer for a status, in its usual words unless `more` has others."""
    code, message, hint = TOLD.get(status, TOLD[500 if status >= 500 else 422])
    told = (
        {"code": code, "message": message, "hint": hint} | more | {"request_id": request_context.current().request_id}
    )
    return JSONResponse({"error": told}, status, headers)


def of_ours(error: errors.TiercastError) -> JSONResponse:
    """One of our errors. Its first offender is the place in the request that is at fault."""
    if isinstance(error, errors.StoreUnavailable):
        return response(503, {"Retry-After": "5"}, code=type(error).__name__, message="the score store does not answer")
    if not isinstance(error, errors.BadInput):
        return response(500)
    said: dict[str, Any] = {name: part for name, part in error.as_dict().items() if part is not None}
    said.pop("first", None)
    if error.first is not None:
        parts = error.first.split(".")  # below a table, names are the bundle's own, such as an attribute's
        said["fields"] = [{"path": error.first if parts[0] in OUR_PLACES else _place(parts), "message": error.what}]
    return response(422, **said)


def of_pydantic(error: pydantic.ValidationError) -> Response:
    """What does not fit, by place; 400 if it is no JSON at all."""
    return of_details(error.errors(include_input=False, include_context=False, include_url=False))


def of_details(details: Sequence[Mapping[str, Any]]) -> Response:
    if any(detail.get("type") == "json_invalid" for detail in details):
        return response(400, message=f"the body is not JSON: {_without_prefix(details[0].get('msg', ''))}")
    is_cut = len(details) > MOST_FIELDS
    return response(
        422,
        message=f"{len(details):,} field{'s do' if len(details) > 1 else ' does'} not fit",
        hint=f"correct the fields{'; these are the first of them' if is_cut else ''}",
        fields=[_field(detail) for detail in details[:MOST_FIELDS]],
    )


def in_our_shape(status: int, body: bytes) -> Response:
    """An error as it is if it is ours, else BentoML's in our shape: it says 400 to everything that does not fit."""
    found = _parsed(body)
    if isinstance(found.get("error"), dict):
        return Response(body, status, media_type="application/json")
    details = found.get("detail", [])
    if status == 400 and details:
        return of_details(details)
    return response(status if status in TOLD or status >= 500 else 422)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _without_prefix(message: str) -> str:
    return message.removeprefix("Invalid JSON: ")


def _field(detail: Mapping[str, Any]) -> dict[str, str]:
    return {"path": _place(detail.get("loc", ())), "message": str(detail.get("msg", ""))}


def _place(parts: Sequence[object]) -> str:
    """Where in the request; a name that may be a value (an address as a key of an object) is not shown.

    >>> _place(["customers", 0, "ann@example.org"]), _place([])
    ('customers.0.(a name that is not shown)', '(body)')
    """
    shown = [str(part) if _is_plain(part) else NAMELESS for part in parts]
    return ".".join(shown)[:LONGEST_PLACE] or "(body)"


def _is_plain(part: object) -> bool:
    text = str(part)
    return isinstance(part, int) or bool(PLAIN_NAME.fullmatch(text)) or (text.isdecimal() and len(text) <= 4)
