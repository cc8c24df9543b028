"""Reading a request's body: of the right kind, no larger and no slower than allowed."""

from __future__ import annotations

import anyio
from starlette.types import Message, Receive, Scope

from tiercast.serving.http import error_responses, headers
from tiercast.serving.http.limits import Limits

CLOSE = {"Connection": "close"}


async def read(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """The whole body. Raises `Refused`: 400, 408, 413 or 415."""
    _refuse_other_media(headers.once(scope, b"content-type"))
    length = headers.once(scope, b"content-length")
    if length and headers.every(scope, b"transfer-encoding"):
        what, hint = "the body has two lengths", "send either Content-Length or Transfer-Encoding"
        raise error_responses.Refused(400, CLOSE, code="TwoLengths", message=what, hint=hint)
    if length and (not length.isdigit() or len(length) > 18 or int(length) > limits.body_bytes):
        raise _too_large(limits)
    body = b""
    with anyio.move_on_after(limits.body_seconds) as late:
        body = await _all(receive, limits)
    if late.cancelled_caught:
        raise error_responses.Refused(408, CLOSE)
    return body


def again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was already read, then what comes after it."""
    left = [body]

    async def replay() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replay


async def _all(receive: Receive, limits: Limits) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise error_responses.Refused(
                400, CLOSE, code="CutOff", message="the body was cut off", hint="send it whole"
            )
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > limits.body_bytes:
            raise _too_large(limits)
    return b"".join(parts)


def _refuse_other_media(sent: bytes) -> None:
    kind, *parameters = (part.strip().lower() for part in sent.split(b";"))
    named = [part.partition(b"=")[2].strip(b'"') for part in parameters if part.startswith(b"charset")]
    if kind != b"application/json" or any(charset not in (b"utf-8", b"utf8") for charset in named):
        raise error_responses.Refused(415)


def _too_large(limits: Limits) -> error_responses.Refused:
    return error_responses.Refused(413, message=f"the body is larger than {limits.body_mb:g} MB")
