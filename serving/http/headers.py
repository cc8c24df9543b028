"""Headers of a request that may come once only: of two, a proxy before us may have believed the other."""

from __future__ import annotations

from starlette.types import Scope

from tiercast.serving.http import error_responses


def every(scope: Scope, name: bytes) -> list[bytes]:
    """All values of a header; names come in lower case."""
    return [value for sent, value in scope["headers"] if sent == name]


def once(scope: Scope, name: bytes) -> bytes:
    """The value, empty without one. Raises `Refused` for a second."""
    found = every(scope, name)
    if len(found) > 1:
        raise error_responses.Refused(400, code="HeaderTwice", message="a header comes twice", hint="send it once")
    return found[0].strip() if found else b""
