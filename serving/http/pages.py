"""The small endpoints: the first page, the model's card and reload, the documents, the counters, the probes."""

from __future__ import annotations

import os

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tiercast.serving.access.roles import Role
from tiercast.serving.http import app_state, endpoint, metrics, schemas
from tiercast.serving.http.endpoint import JSON

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tiercast</title></head>
<body>
<h1>Tiercast</h1>
<p>Forward-looking customer tiers: how much each customer will be worth, how likely they are to leave, and why.</p>
<ul>
<li><code>POST /v1/score</code>: customers with their purchases in, scores with reasons out</li>
<li><a href="/v1/model">/v1/model</a>: the model, how well it did on unseen time, and what every number means</li>
<li><a href="/docs.json">/docs.json</a>: the interface as OpenAPI, with the role that each address needs</li>
<li><a href="/readyz">/readyz</a>, <a href="/livez">/livez</a>, <a href="/metrics">/metrics</a>: for machines</li>
</ul>
</body></html>
"""
NO_SCRIPTS = {"Content-Security-Policy": "default-src 'none'"}


async def first_page(_: Request) -> Response:
    return HTMLResponse(PAGE, headers=NO_SCRIPTS)


async def model_card(request: Request) -> Response:
    card = await anyio.to_thread.run_sync(app_state.model(request).card)
    return Response(card, media_type=JSON)


async def reload(request: Request) -> Response:
    endpoint.parse_body(schemas.Reload, await request.body())
    reloaded = await anyio.to_thread.run_sync(app_state.model(request).reload, abandon_on_cancel=True)
    return endpoint.json_response(reloaded)


async def document(request: Request) -> Response:
    """The OpenAPI document."""
    return endpoint.json_response(request.app.state.document())


async def schema(request: Request) -> Response:
    """The OpenAPI document, with the keys that BentoML's clients look for: name, type and routes."""
    return endpoint.json_response(request.app.state.bentoml_schema() | request.app.state.document())


async def counters(_: Request) -> Response:
    return Response(metrics.text(), media_type=metrics.MEDIA_TYPE)


def metrics_roles() -> tuple[Role, ...]:
    """The roles for /metrics: none if TIERCAST_METRICS_OPEN is 1. Traffic is confidential otherwise."""
    return () if os.environ.get("TIERCAST_METRICS_OPEN") == "1" else ("read",)


async def alive(_: Request) -> Response:
    return JSONResponse({"alive": True})
