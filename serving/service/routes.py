"""Every address of the service: the gate, the roles, the metrics' labels and the OpenAPI document read this table.

A new address is one entry here and one function in a module of its own; `endpoints` joins the two. No id of a customer
ever stands in an address.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from serving.access.roles import Role
from serving.service import answers, bundles, endpoints, examples, openapi, pages, readiness, requests
from serving.service.endpoints import Handler

JSON, HTML, TEXT = "application/json", "text/html; charset=utf-8", "text/plain; version=0.0.4; charset=utf-8"


class Route(NamedTuple):
    """One address. `roles`: a key needs one of them; none means that anybody may ask. `handler` None: BentoML's.

    `answers` says in which form a 200 comes: per media type the model of its JSON, or None for what is no JSON.
    `statuses` are those beside the ones that every such route has, see `openapi.statuses`.
    """

    path: str
    method: Literal["GET", "POST"]
    roles: tuple[Role, ...]
    summary: str
    handler: Handler | None
    answers: Mapping[str, type[BaseModel] | None]
    asks: type[BaseModel] | None = None
    example: Mapping[str, Any] | None = None
    answer_example: Mapping[str, Any] | None = None
    statuses: tuple[int, ...] = ()
    is_probe: bool = False


async def _document(_: Request) -> Response:
    return Response(_as_json(), media_type=JSON)


@functools.cache
def _as_json() -> bytes:
    return openapi.as_json(TABLE)


READERS: tuple[Role, ...] = ("read", "score")
TABLE: tuple[Route, ...] = (
    Route(
        "/v1/score", "POST", ("score",), "Score customers from their raw transactions, as of a day.", None,
        {JSON: answers.ScoreAnswer}, requests.ScoreRequest, examples.SCORE_REQUEST,
    ),
    Route(
        "/v1/model", "GET", READERS, "The model, how well it did on unseen time, and what every number means.",
        endpoints.telling(pages.model), {JSON: answers.ModelCard},
    ),
    Route(
        "/v1/admin/reload", "POST", ("admin",), "Serve the bundle that the folder or the registry holds now.",
        endpoints.asking(requests.Reload, lambda _: bundles.reload()), {JSON: answers.Reloaded}, requests.Reload, {},
        statuses=(409,),
    ),
    Route("/", "GET", (), "What this is, for a person.", pages.first_page, {HTML: None}),
    Route("/docs.json", "GET", (), "This document.", _document, {JSON: answers.Document}),
    Route("/schema.json", "GET", (), "The same document, under the name that BentoML's clients ask for.", _document,
          {JSON: answers.Document}),
    Route("/livez", "GET", (), "Whether the process lives.", pages.alive, {JSON: answers.Alive}, is_probe=True),
    Route("/healthz", "GET", (), "The same as /livez.", pages.alive, {JSON: answers.Alive}, is_probe=True),
    Route(
        "/readyz", "GET", (), "Whether requests can be answered, and what each part of the service says.",
        readiness.page, {JSON: answers.Ready}, statuses=(503,), is_probe=True,
    ),
    Route(
        "/metrics", "GET", pages.metrics_roles(), "Counters for Prometheus.", pages.counters, {TEXT: None},
        is_probe=True,
    ),
)  # fmt: skip
