"""The BentoML service: `tiercast serve`, or `bentoml serve tiercast.serving.http.bento:Tiercast`.

The only module that imports BentoML. See docs/decisions/0015-what-bentoml-does-here.md.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from tiercast.contract import errors
from tiercast.serving.http import access_log, app, auth, jobs, limits
from tiercast.serving.http.model import ModelRuntime
from tiercast.serving.model_manager import source
from tiercast.serving.online import responses
from tiercast.serving.online.requests import ScoreRequest


def _limits() -> limits.Limits:
    """The limits from the environment; a wrong one ends the command."""
    try:
        return limits.from_env(os.environ)
    except errors.BadInput as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


LIMITS = _limits()
IS_TRACED = os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true"
application = app.build()


@bentoml.asgi_app(application, path="/")
@bentoml.service(
    name="tiercast",
    workers=LIMITS.workers,
    threads=LIMITS.threads,
    traffic={"timeout": 60},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={} if IS_TRACED else {"excluded_urls": ".*"},
)
class Tiercast:
    """Forward-looking customer tiers: value, risk of leaving, reasons and what to do next."""

    def __init__(self) -> None:
        access_log.configure()

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    @staticmethod
    def check_settings() -> None:
        """Before any worker starts, so that a bad bundle ends the command instead of every worker in turn."""
        access_log.configure()
        try:
            auth.check(os.environ)
            jobs.check()
            source.check(source.from_env())
        except errors.TiercastError as error:
            print(error, file=sys.stderr)
            sys.exit(error.exit_code)

    @bentoml.api(route="/v1/score", output_spec=responses.ScoreResponse)  # type: ignore[untyped-decorator]
    def score(self, request: ScoreRequest, /) -> dict[str, Any]:
        """Score customers from their raw transactions, as of a day."""
        runtime: ModelRuntime = application.state.worker.model
        return runtime.scorer().score(request)


class ApplicationFirst:
    """Middleware that hands every request to our application: BentoML's router would match its own routes before it."""

    def __init__(self, bentoml_app: ASGIApp) -> None:
        self.bentoml_app = bentoml_app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self.bentoml_app if scope["type"] == "lifespan" else application
        await handler(scope, receive, send)


Tiercast.add_asgi_middleware(ApplicationFirst)  # type: ignore[attr-defined]
application.state.bentoml_schema = Tiercast.schema  # type: ignore[attr-defined]
