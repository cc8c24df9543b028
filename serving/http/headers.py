"""Request headers that may occur only once: of two, a proxy in front of us may have used the other."""

from __future__ import annotations

from starlette.types import Scope

from tiercast.serving.http.error_responses import HttpError


def values(scope: Scope, name: bytes) -> list[bytes]:
    """All values of a header; `name` is in lower case."""
    return [value for each, value in scope["headers"] if each == name]


def single(scope: Scope, name: bytes) -> bytes:
    """The value of a header, empty without one. Raises `HttpError` 400 for two."""
    sent = values(scope, name)
    if len(sent) > 1:
        raise HttpError(400, code="HeaderTwice", message="a header comes twice", hint="send it once")
    return sent[0].strip() if sent else b""
