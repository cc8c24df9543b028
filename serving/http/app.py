"""The gate in front of everything: known addresses, keys, bodies of bounded size, one error shape, quiet logs.

Nothing that a caller sends gets past it into a log, a metric's label or an error message of a vendor. What has a
handler in the table of routes is answered from here; BentoML sees the rest.
"""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Sequence

import anyio
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiercast.serving import json_log
from tiercast.serving.access import audit
from tiercast.serving.http import (
    auth,
    body,
    error_responses,
    headers,
    jobs,
    limits,
    metrics,
    readiness,
    request_context,
    routes,
)
from tiercast.serving.http.routes import Route
from tiercast.serving.http.scores import store_pool

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT")
KEPT = (b"allow", b"retry-after", b"www-authenticate", b"connection")
DROPPED = (b"server", b"x-bentoml-request-id", b"x-bentoml-trace-id")
ALWAYS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class Gate:
    """ASGI middleware; the outermost of ours. Its settings come from the environment when the application starts."""

    def __init__(self, app: ASGIApp, table: Sequence[Route] = routes.TABLE) -> None:
        self.app, self.table = app, {route.path: route for route in table}
        self.limits = limits.read(os.environ)
        self.door = auth.of(os.environ, self.limits)
        self.audit = audit.Audit(pathlib.Path(file) if (file := os.environ.get("TIERCAST_AUDIT")) else None)
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            with self.door.watched(), store_pool.opened(os.environ), jobs.running():
                readiness.register("audit", self._audit_state)
                await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it was accepted: a 403

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = self._asking(scope)
        token, answer = request_context.CURRENT.set(asked), Answer(send, asked.request_id)
        self.in_flight += 1
        metrics.IN_FLIGHT.inc()
        try:
            await self._serve(scope, receive, answer, asked)
            await answer.finish(scope, receive)
        finally:
            self.in_flight -= 1
            metrics.IN_FLIGHT.dec()
            request_context.CURRENT.reset(token)
            asked.body = b""
            self._record(asked, answer.status)

    def _asking(self, scope: Scope) -> request_context.Asking:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = scope["path"] if scope["path"] in self.table and _is_plain(scope) else "unknown"
        return request_context.Asking(method, route, request_context.request_id(headers.every(scope, b"x-request-id")))

    async def _serve(self, scope: Scope, receive: Receive, answer: Answer, asked: request_context.Asking) -> None:
        try:
            route = self._route(scope, asked)
            self.door.admit(scope, route.roles)
            if route.roles and self.in_flight > self.limits.in_flight:
                raise error_responses.Refused(
                    503, {"Retry-After": "1"}, code="Busy", message="too many requests at once"
                )
            if route.method == "POST":
                asked.body = await body.read(scope, receive, self.limits)
                receive = body.again(asked.body, receive)
            await self._in_time(route, scope, receive, answer)
        except error_responses.Refused as refused:
            await refused.response()(scope, receive, answer.send)
        except Exception as error:
            json_log.log_fault(error, asked.request_id)
            if not answer.is_started:
                await error_responses.response(500)(scope, receive, answer.send)

    def _route(self, scope: Scope, asked: request_context.Asking) -> Route:
        if asked.route == "unknown":
            raise error_responses.Refused(404)
        route, method = self.table[asked.route], scope["method"]
        if method != route.method and not (route.method == "GET" and method == "HEAD"):
            raise error_responses.Refused(405, {"Allow": "GET, HEAD" if route.method == "GET" else route.method})
        return route

    async def _in_time(self, route: Route, scope: Scope, receive: Receive, answer: Answer) -> None:
        """An answer must begin in time; how long it then streams is the caller's matter."""
        with anyio.move_on_after(self.limits.answer_seconds) as late:
            answer.deadline = late
            try:
                await self._handle(route, scope, receive, answer.send)
            finally:
                answer.deadline = None
        if late.cancelled_caught and not answer.is_started:
            raise error_responses.Refused(504)

    async def _handle(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        if route.handler is None:
            await self.app(scope, receive, send)
        else:
            response = await route.handler(Request(scope, receive))
            await response(scope, receive, send)

    def _record(self, asked: request_context.Asking, status: int) -> None:
        seconds = time.perf_counter() - asked.started
        metrics.answered(asked.route, status, seconds)
        route = self.table.get(asked.route)
        if route is not None and route.is_probe:
            return
        told = {"request_id": asked.request_id, "key": asked.key_id, "ms": round(seconds * 1000, 1)}
        json_log.logger.info("%s %s %d", asked.method, asked.route, status, extra={"fields": told})
        if route is not None and route.roles:
            entry = audit.Entry(
                asked.key_id, asked.key_name, asked.method, asked.route, status, asked.customers, asked.request_id
            )
            if not self.audit.write(entry):
                metrics.UNAUDITED.inc()

    def _audit_state(self) -> readiness.State:
        return readiness.State(True, self.audit.problem or "written")


class Answer:
    """Passes good answers through as they come, and puts the vendor's refusals into our shape."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self.status, self.is_started = send, 500, False
        self.deadline: anyio.CancelScope | None = None
        self._ours = [(b"x-request-id", request_id.encode()), *ALWAYS]
        self._held: list[bytes] | None = None
        self._headers: list[tuple[bytes, bytes]] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(message)
        if self._held is None:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._held.append(message.get("body", b""))

    def _begin(self, message: Message) -> None:
        """From here on there is no hurry. What comes when it was given up already would be cut off half-way."""
        late, self.deadline = self.deadline, None
        if late is not None and late.cancel_called:
            raise error_responses.Refused(504)
        if late is not None:
            late.deadline = float("inf")
        self.status, self.is_started = message["status"], True
        given = [pair for pair in message.get("headers", []) if pair[0].lower() not in DROPPED]
        message["headers"] = [*given, *self._ours]
        self._held = [] if self.status >= 400 else None
        self._headers = [pair for pair in given if pair[0] in KEPT]

    async def finish(self, scope: Scope, receive: Receive) -> None:
        if self._held is not None:
            ours = error_responses.in_our_shape(self.status, b"".join(self._held))
            ours.raw_headers.extend([*self._headers, *self._ours])
            self.status = ours.status_code
            await ours(scope, receive, self._send)


def _is_plain(scope: Scope) -> bool:
    """Whether the address came as it stands in the table: `/%6detrics` may have passed a proxy that guards /metrics."""
    raw = scope.get("raw_path")
    return raw is None or raw == scope["path"].encode()
