"""What happens to a request between the router and its endpoint: key, load, body, time limit, in this order."""

from __future__ import annotations

import anyio
import anyio.lowlevel
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiercast.serving.access.roles import Role
from tiercast.serving.http import app_state, body
from tiercast.serving.http.endpoint import Endpoint
from tiercast.serving.http.error_responses import HttpError


class AuthMiddleware:
    """Requires a key with one of the roles, and refuses requests beyond `Limits.in_flight`."""

    def __init__(self, app: ASGIApp, roles: tuple[Role, ...]) -> None:
        self.app, self.roles = app, roles

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = app_state.from_scope(scope)
        state.authenticator.authorize(scope, self.roles)
        if state.in_flight > state.limits.in_flight:
            raise HttpError(503, {"Retry-After": "1"}, code="Busy", message="too many requests at once")
        await self.app(scope, receive, send)


class BodyMiddleware:
    """Reads the whole body before the endpoint is called, which then receives it as one message."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content = await body.read_body(scope, receive, app_state.from_scope(scope).limits)
        await self.app(scope, body.replay(content, receive), send)


class TimeLimitMiddleware:
    """A response must begin within `Limits.answer_seconds`; how long it then streams is up to the client."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def begin(message: Message) -> None:
            nonlocal has_begun
            if not has_begun:
                await anyio.lowlevel.checkpoint_if_cancelled()  # a response that begins too late would be cut off
                has_begun, limit.deadline = True, float("inf")
            await send(message)

        with anyio.move_on_after(app_state.from_scope(scope).limits.answer_seconds) as limit:
            await self.app(scope, receive, begin)
        if limit.cancelled_caught and not has_begun:
            raise HttpError(504)


def for_endpoint(endpoint: Endpoint) -> list[Middleware]:
    """The middleware of one endpoint, outermost first."""
    auth = [Middleware(AuthMiddleware, roles=endpoint.roles)] if endpoint.roles else []
    bodies = [Middleware(BodyMiddleware)] if endpoint.method == "POST" else []
    return [*auth, *bodies, Middleware(TimeLimitMiddleware)]
