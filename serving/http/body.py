"""Reading the request body: JSON in UTF-8, within a size and a time."""

from __future__ import annotations

import anyio
from starlette.types import Message, Receive, Scope

from tiercast.serving.http import headers
from tiercast.serving.http.error_responses import HttpError
from tiercast.serving.http.limits import Limits

CLOSE = {"Connection": "close"}


async def read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """The whole body. Raises `HttpError`: 400, 408, 413 or 415."""
    _require_json(headers.single(scope, b"content-type"))
    length = headers.single(scope, b"content-length")
    if length and headers.values(scope, b"transfer-encoding"):
        what, hint = "the body has two lengths", "send either Content-Length or Transfer-Encoding"
        raise HttpError(400, CLOSE, code="TwoLengths", message=what, hint=hint)
    if length and (not length.isdigit() or len(length) > 18 or int(length) > limits.body_bytes):
        raise _too_large(limits)
    body = b""
    with anyio.move_on_after(limits.body_seconds) as timeout:
        body = await _read_all(receive, limits)
    if timeout.cancelled_caught:
        raise HttpError(408, CLOSE)
    return body


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once, then what comes after it."""
    unread = [body]

    async def receive_again() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return receive_again


async def _read_all(receive: Receive, limits: Limits) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HttpError(400, CLOSE, code="CutOff", message="the body was cut off", hint="send it whole")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > limits.body_bytes:
            raise _too_large(limits)
    return b"".join(parts)


def _require_json(content_type: bytes) -> None:
    if content_type == b"application/json":
        return
    kind, *parameters = (part.strip().lower() for part in content_type.split(b";"))
    charsets = [part.partition(b"=")[2].strip(b'"') for part in parameters if part.startswith(b"charset")]
    if kind != b"application/json" or any(charset not in (b"utf-8", b"utf8") for charset in charsets):
        raise HttpError(415)


def _too_large(limits: Limits) -> HttpError:
    return HttpError(413, message=f"the body is larger than {limits.body_mb:g} MB")
