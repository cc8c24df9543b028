"""The outermost layer of the application: one log line, one audit line and one count per request.

Nothing that a client sent gets into them: a route is one of ours or `unknown`. Whatever fails further in ends here as
a 500 that is logged by its place in the code.
"""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiercast.serving import json_log
from tiercast.serving.access import audit
from tiercast.serving.http import app_state, error_responses, headers, metrics, request_context
from tiercast.serving.http.endpoint import Endpoint
from tiercast.serving.http.request_context import RequestContext

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT")
ALWAYS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
VENDORS = ("bentoml", "uvicorn", "uvicorn.error", "circus", "")


class AccessLogMiddleware:
    """Gives every request a context and every response its id and security headers, and records both."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = app_state.from_scope(scope)
        context = RequestContext(request_context.request_id(headers.values(scope, b"x-request-id")))
        response, token = ResponseSender(send, context.request_id), request_context.CURRENT.set(context)
        state.in_flight += 1
        metrics.IN_FLIGHT.inc()
        try:
            await self._run(scope, receive, response)
        finally:
            state.in_flight -= 1
            metrics.IN_FLIGHT.dec()
            request_context.CURRENT.reset(token)
            _record(scope, context, response.status, state.audit)

    async def _run(self, scope: Scope, receive: Receive, response: ResponseSender) -> None:
        try:
            await self.app(scope, receive, response)
        except Exception as error:
            json_log.log_fault(error, response.request_id)
            if not response.has_begun:
                await error_responses.response(500)(scope, receive, response)


class ResponseSender:
    """A `send` that adds our headers and keeps the status; 500 until a response has begun."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self.request_id = send, request_id
        self.status, self.has_begun = 500, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.has_begun = message["status"], True
            message["headers"] = [*message["headers"], (b"x-request-id", self.request_id.encode()), *ALWAYS]
        await self._send(message)


def _record(scope: Scope, context: RequestContext, status: int, log: audit.AuditLog) -> None:
    endpoint: Endpoint | None = scope.get("tiercast.endpoint")
    route = "unknown" if endpoint is None else endpoint.path
    seconds = time.perf_counter() - context.started
    metrics.count_request(route, status, seconds)
    if endpoint is not None and endpoint.is_probe:
        return
    method = scope["method"] if scope["method"] in METHODS else "other"
    fields = {"request_id": context.request_id, "key": context.key_id, "ms": round(seconds * 1000, 1)}
    json_log.logger.info("%s %s %d", method, route, status, extra={"fields": fields})
    if endpoint is not None and endpoint.roles:
        entry = audit.AuditEntry(
            context.key_id, context.key_name, method, route, status, context.customers, context.request_id
        )
        if not log.write(entry):
            metrics.UNAUDITED.inc()


def configure() -> None:
    """Make every logger of this process write JSON lines; a second call changes nothing."""
    for name in VENDORS:
        for handler in logging.getLogger(name).handlers:
            if type(handler) is logging.StreamHandler:
                handler.setFormatter(json_log.JsonFormatter())
