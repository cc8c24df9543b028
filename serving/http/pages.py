"""The small pages: a plain first page, the model card, the counters, the sign of life."""

from __future__ import annotations

import os

import bentoml
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tiercast.serving.access.roles import Role
from tiercast.serving.http import metrics

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
PLAIN = {"Content-Security-Policy": "default-src 'none'"}


async def first_page(_: Request) -> Response:
    return HTMLResponse(PAGE, headers=PLAIN)


def model() -> Response:
    return Response(bentoml.get_current_service().card, media_type="application/json")


async def counters(_: Request) -> Response:
    return Response(metrics.text(), media_type=metrics.MEDIA_TYPE)


def metrics_roles() -> tuple[Role, ...]:
    """How busy a shop is, is its own matter: /metrics needs a key unless TIERCAST_METRICS_OPEN is 1."""
    return () if os.environ.get("TIERCAST_METRICS_OPEN") == "1" else ("read",)


async def alive(_: Request) -> Response:
    return JSONResponse({"alive": True})
