"""`GET /readyz`: every part of the service that can fail registers a function for its state here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tiercast.serving.http import error_responses


class State(NamedTuple):
    """One part that is not ready makes the whole service not ready; `note` holds nothing secret."""

    is_ready: bool
    note: str


_PARTS: dict[str, Callable[[], State]] = {}


def register(part: str, state: Callable[[], State]) -> None:
    """Call `state` for this part whenever /readyz is requested; it must return quickly."""
    _PARTS[part] = state


def unregister(part: str) -> None:
    """Forget the part, if it was registered."""
    _PARTS.pop(part, None)


async def page(_: Request) -> Response:
    """200 with the note of each part, or 503 with the parts that are not ready."""
    states = {part: state() for part, state in _PARTS.items()}
    missing = [{"path": part, "message": state.note} for part, state in states.items() if not state.is_ready]
    if missing:
        return error_responses.response(503, {"Retry-After": "5"}, fields=missing)
    return JSONResponse({"ready": True, "parts": {part: state.note for part, state in states.items()}})
