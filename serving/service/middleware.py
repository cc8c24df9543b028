"""The gate in front of BentoML: known addresses, JSON of bounded size, one error shape, one quiet log line.

Nothing that a caller sends gets past it into a log, a metric's label or an error message of a vendor.
"""

from __future__ import annotations

import logging
import time
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.service import failures, metrics, quiet

LARGEST_BODY = 10 * 1024 * 1024
ROUTES = {
    "/": "GET",
    "/v1/score": "POST",
    "/v1/model": "GET",
    "/docs.json": "GET",
    "/schema.json": "GET",
    "/livez": "GET",
    "/readyz": "GET",
    "/healthz": "GET",
    "/metrics": "GET",
}
PROBES = ("/livez", "/readyz", "/healthz", "/metrics")
log = logging.getLogger("bentoml.tiercast")


class Judged(NamedTuple):
    """Either a refusal to send at once, or the body to pass on."""

    refusal: ASGIApp | None
    body: bytes = b""


class Gate:
    """ASGI middleware; the outermost of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, route = time.perf_counter(), scope["path"] if scope["path"] in ROUTES else "unknown"
        answer = Answer(send)
        judged = await _judge(scope, receive)
        if judged.refusal is not None:
            await judged.refusal(scope, receive, answer.send)
        else:
            await self._pass_on(scope, _again(judged.body, receive), answer)
        await answer.finish(scope, receive)
        _note(route, str(scope["method"]), answer.status, time.perf_counter() - started)

    async def _pass_on(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        try:
            await self.app(scope, receive, answer.send)
        except Exception as error:
            log.error(quiet.told(error))
            if not answer.is_started:
                await failures.response(500)(scope, receive, answer.send)


class Answer:
    """Passes good answers through as they come, and puts the vendor's refusals into our shape."""

    def __init__(self, send: Send) -> None:
        self._send, self.status, self.is_started = send, 500, False
        self._held: list[bytes] | None = None
        self._headers: list[tuple[bytes, bytes]] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.is_started = message["status"], True
            self._held = [] if self.status >= 400 else None
            self._headers = [pair for pair in message.get("headers", []) if pair[0] == b"allow"]
        if self._held is None:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._held.append(message.get("body", b""))

    async def finish(self, scope: Scope, receive: Receive) -> None:
        if self._held is not None:
            ours = failures.in_our_shape(self.status, b"".join(self._held))
            ours.raw_headers.extend(self._headers)
            self.status = ours.status_code
            await ours(scope, receive, self._send)


async def _judge(scope: Scope, receive: Receive) -> Judged:
    wanted, method = ROUTES.get(scope["path"]), scope["method"]
    if wanted is None:
        return Judged(failures.response(404))
    if method != wanted and not (wanted == "GET" and method == "HEAD"):
        refusal = failures.response(405)
        refusal.headers["Allow"] = wanted
        return Judged(refusal)
    if wanted == "GET":
        return Judged(None)
    headers = dict(scope["headers"])
    if headers.get(b"content-type", b"").split(b";")[0].strip().lower() != b"application/json":
        return Judged(failures.response(415))
    body = await _read(headers, receive)
    return Judged(failures.response(413)) if body is None else Judged(None, body)


async def _read(headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
    """The whole body, or None as soon as it is too large, whatever the header promised."""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > LARGEST_BODY:
        return None
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > LARGEST_BODY:
            return None
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was already read, then what comes after it."""
    left = [body]

    async def replay() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replay


def _note(route: str, method: str, status: int, seconds: float) -> None:
    metrics.REQUESTS.labels(route, str(status)).inc()
    metrics.SECONDS.labels(route).observe(seconds)
    if route not in PROBES:
        verb = method if method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS") else "other"
        log.info("%s %s %d %.1f ms", verb, route, status, seconds * 1000)
