"""One shape for every no: {"error": {"code", "message", "hint", "fields"?}}, with `count` and `total` where known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from contract import errors

MOST_FIELDS, LONGEST_PLACE = 20, 200
DOCS = "GET /docs.json describes every request"
# status: code, message, hint
TOLD = {
    400: ("NotJson", "the body is not JSON", "send one JSON object in UTF-8"),
    404: ("NotFound", "there is nothing at this address", DOCS),
    405: ("MethodNotAllowed", "this address does not take this method", "the Allow header says which it takes"),
    413: ("BodyTooLarge", "the body is larger than 10 MB", "send fewer customers per request"),
    415: ("WrongMediaType", "the body must be application/json", "send the header Content-Type: application/json"),
    422: ("InvalidRequest", "the request does not fit", DOCS),
    500: ("InternalError", "something went wrong on our side", "try again; if it stays, look at the server's log"),
    503: ("NotReady", "the service is not ready", "try again in a few seconds"),
}


def response(status: int, **more: Any) -> JSONResponse:
    """The answer for a status, in its usual words unless `more` has others."""
    code, message, hint = TOLD.get(status, TOLD[500 if status >= 500 else 422])
    return JSONResponse({"error": {"code": code, "message": message, "hint": hint} | more}, status_code=status)


def of_ours(error: errors.TiercastError) -> JSONResponse:
    """One of our errors. Its first offender is the place in the request that is at fault."""
    status = 422 if isinstance(error, errors.BadInput) else 500
    said = {name: part for name, part in error.as_dict().items() if part is not None and name != "first"}
    fields = {"fields": [{"path": error.first, "message": error.what}]} if error.first else {}
    return response(status, **said, **fields)


def in_our_shape(status: int, body: bytes) -> Response:
    """An error as it is if it is ours, else BentoML's in our shape: it says 400 to everything that does not fit."""
    found = _parsed(body)
    if isinstance(found.get("error"), dict):
        return Response(body, status, media_type="application/json")
    details = found.get("detail", [])
    if status != 400 or not details:
        return response(status if status in TOLD or status >= 500 else 422)
    if any(detail.get("type") == "json_invalid" for detail in details):
        return response(400, message=f"the body is not JSON: {details[0].get('msg', '')}")
    is_cut = len(details) > MOST_FIELDS
    return response(
        422,
        message=f"{len(details):,} field{'s do' if len(details) > 1 else ' does'} not fit",
        hint=f"correct the fields{'; these are the first of them' if is_cut else ''}",
        fields=[_field(detail) for detail in details[:MOST_FIELDS]],
    )


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _field(detail: Mapping[str, Any]) -> dict[str, str]:
    place = ".".join(str(part) for part in detail.get("loc", ()))[:LONGEST_PLACE]
    return {"path": place or "(body)", "message": str(detail.get("msg", ""))}
