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

from tiercast.serving.access.roles import Role
from tiercast.serving.http import endpoints, examples, jobs, model, openapi, pages, readiness, schemas
from tiercast.serving.http.endpoints import Handler
from tiercast.serving.http.scores import examples as stored_examples
from tiercast.serving.http.scores import export, handlers
from tiercast.serving.http.scores import requests as stored_requests
from tiercast.serving.http.scores import responses as stored_answers
from tiercast.serving.jobs import api_models
from tiercast.serving.online import requests, responses

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
STORED: tuple[Route, ...] = (
    Route(
        "/v1/customers/lookup", "POST", ("read",), "The stored scores of up to 1,000 customers.",
        endpoints.asking(stored_requests.LookupRequest, handlers.lookup), {JSON: stored_answers.LookupAnswer},
        stored_requests.LookupRequest, stored_examples.LOOKUP, statuses=(404,),
    ),
    Route(
        "/v1/customers/history", "POST", ("read",), "One customer through the generations: the moves, and why.",
        endpoints.asking(stored_requests.HistoryRequest, handlers.history), {JSON: stored_answers.HistoryAnswer},
        stored_requests.HistoryRequest, stored_examples.HISTORY, statuses=(404,),
    ),
    Route(
        "/v1/customers/search", "POST", ("read",), "Customers by tier, risk, value, reason or move: pages or a file.",
        endpoints.asking(stored_requests.SearchRequest, handlers.find),
        {JSON: stored_answers.SearchAnswer, export.CSV: None, export.PARQUET: None},
        stored_requests.SearchRequest, stored_examples.SEARCH, statuses=(404, 410),
    ),
    Route(
        "/v1/grid", "GET", ("read",), "Customers, value and value at risk per tier, and who moved.",
        endpoints.telling(handlers.grid), {JSON: stored_answers.GridAnswer}, statuses=(404,),
    ),
    Route(
        "/v1/generations", "GET", ("read",), "The published generations that are kept, and which one is served.",
        endpoints.telling(handlers.every), {JSON: stored_answers.GenerationsAnswer}, statuses=(404,),
    ),
)  # fmt: skip
JOBS: tuple[Route, ...] = (
    Route(
        "/v1/jobs/score", "POST", ("score",), "Ask for a batch job: a configured source, scored as of a day.",
        endpoints.asking(api_models.JobRequest, jobs.submit), {JSON: api_models.JobStatus}, api_models.JobRequest,
        api_models.REQUEST, api_models.STATUS, statuses=(202, 404, 409),
    ),
    Route(
        "/v1/jobs", "GET", READERS, "The sources that can be scored, and the newest hundred jobs.",
        endpoints.telling(jobs.list_jobs), {JSON: api_models.JobList}, answer_example=api_models.LIST, statuses=(404,),
    ),
    Route(
        "/v1/jobs/status", "POST", READERS, "How far a job is, and what came of it.",
        endpoints.asking(api_models.JobId, jobs.status), {JSON: api_models.JobStatus}, api_models.JobId,
        api_models.ID, api_models.STATUS, statuses=(404,),
    ),
    Route(
        "/v1/jobs/cancel", "POST", ("score",), "Call a job off.",
        endpoints.asking(api_models.JobId, jobs.cancel), {JSON: api_models.JobStatus}, api_models.JobId,
        api_models.ID, {**api_models.STATUS, "state": "cancelling"}, statuses=(404, 409),
    ),
)  # fmt: skip
TABLE: tuple[Route, ...] = (
    Route(
        "/v1/score", "POST", ("score",), "Score customers from their raw transactions, as of a day.", None,
        {JSON: responses.ScoreAnswer}, requests.ScoreRequest, examples.SCORE_REQUEST,
    ),
    Route(
        "/v1/model", "GET", READERS, "The model, how well it did on unseen time, and what every number means.",
        endpoints.telling(pages.model), {JSON: schemas.ModelCard},
    ),
    *STORED,
    *JOBS,
    Route(
        "/v1/admin/reload", "POST", ("admin",), "Serve the bundle that the folder or the registry holds now.",
        endpoints.asking(schemas.Reload, lambda _: model.reload()), {JSON: schemas.Reloaded}, schemas.Reload, {},
        statuses=(409,),
    ),
    Route("/", "GET", (), "What this is, for a person.", pages.first_page, {HTML: None}),
    Route("/docs.json", "GET", (), "This document.", _document, {JSON: schemas.Document}),
    Route("/schema.json", "GET", (), "The same document, under the name that BentoML's clients ask for.", _document,
          {JSON: schemas.Document}),
    Route("/livez", "GET", (), "Whether the process lives.", pages.alive, {JSON: schemas.Alive}, is_probe=True),
    Route("/healthz", "GET", (), "The same as /livez.", pages.alive, {JSON: schemas.Alive}, is_probe=True),
    Route(
        "/readyz", "GET", (), "Whether requests can be answered, and what each part of the service says.",
        readiness.page, {JSON: schemas.Ready}, statuses=(503,), is_probe=True,
    ),
    Route(
        "/metrics", "GET", pages.metrics_roles(), "Counters for Prometheus.", pages.counters, {TEXT: None},
        is_probe=True,
    ),
)  # fmt: skip
