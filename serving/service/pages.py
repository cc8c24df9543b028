"""The pages that are not BentoML's: a plain first page, the model card, our counters."""

from __future__ import annotations

import html

import bentoml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from serving.service import metrics

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tiercast</title></head>
<body>
<h1>Tiercast</h1>
<p>Forward-looking customer tiers: how much each customer will be worth, how likely they are to leave, and why.</p>
<p>Serving <code>{model}</code>, trained on what was known before {as_of}.</p>
<ul>
<li><code>POST /v1/score</code>: customers with their purchases in, scores with reasons out</li>
<li><a href="/v1/model">/v1/model</a>: the model, how well it did on unseen time, and what every number means</li>
<li><a href="/docs.json">/docs.json</a>: the interface as OpenAPI</li>
<li><a href="/readyz">/readyz</a>, <a href="/livez">/livez</a>, <a href="/metrics">/metrics</a>: for machines</li>
</ul>
</body></html>
"""
PLAIN = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}


async def first_page(_: Request) -> Response:
    about = bentoml.get_current_service().online.bundle.about
    page = PAGE.format(model=html.escape(about.model), as_of=about.as_of)
    return HTMLResponse(page, headers=PLAIN)


async def model(_: Request) -> Response:
    return Response(bentoml.get_current_service().card, media_type="application/json")


def counters(_: Request) -> Response:
    return Response(metrics.text(), media_type=metrics.MEDIA_TYPE)


app = Starlette(routes=[Route("/", first_page), Route("/v1/model", model), Route("/metrics", counters)])
