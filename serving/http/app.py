"""The HTTP application: one Starlette application with its routes, middleware, exception handlers and lifespan."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Match, Route
from starlette.types import Scope

from tiercast.serving.http import access_log, app_state, error_responses, jobs, middleware, openapi, routes
from tiercast.serving.http.endpoint import Endpoint


class ExactRoute(Route):
    """Matches a path only as it is spelled: `/%6detrics` may have passed a proxy that guards /metrics."""

    def __init__(self, endpoint: Endpoint) -> None:
        chain = middleware.for_endpoint(endpoint)
        super().__init__(endpoint.path, endpoint.handler, methods=[endpoint.method], middleware=chain)
        self._raw_path, self._child_scope = endpoint.path.encode(), {"tiercast.endpoint": endpoint, "path_params": {}}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        is_spelled = scope["path"] == self.path and scope.get("raw_path") in (None, self._raw_path)
        if scope["type"] != "http" or not is_spelled:
            return Match.NONE, {}
        return Match.FULL if scope["method"] in (self.methods or ()) else Match.PARTIAL, self._child_scope


def build(endpoints: Sequence[Endpoint] = routes.ENDPOINTS, *, has_model: bool = True) -> Starlette:
    """The application. Its settings come from the environment when it starts; see `app_state`."""
    app = Starlette(
        routes=[ExactRoute(endpoint) for endpoint in endpoints],
        middleware=[Middleware(access_log.AccessLogMiddleware)],
        exception_handlers=error_responses.HANDLERS | jobs.HANDLERS,
        lifespan=functools.partial(_lifespan, has_model),
    )
    app.router.redirect_slashes = False
    app.state.bentoml_schema = dict
    app.state.document = functools.cache(lambda: openapi.document(endpoints))
    return app


@contextlib.asynccontextmanager
async def _lifespan(has_model: bool, app: Starlette) -> AsyncIterator[None]:
    with app_state.running(has_model=has_model) as app.state.worker:
        yield
