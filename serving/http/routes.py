"""Every endpoint of the service: the router, the roles, the metrics' labels and the OpenAPI document read this table.

A new endpoint is one entry here and one function in a module of its own. No id of a customer ever stands in an address.
"""

from __future__ import annotations

from tiercast.serving.access.roles import Role
from tiercast.serving.http import jobs, online_scoring, pages, readiness, schemas
from tiercast.serving.http.endpoint import HTML, JSON, TEXT, Endpoint, with_body, without_body
from tiercast.serving.http.scores import examples as stored_examples
from tiercast.serving.http.scores import export, handlers
from tiercast.serving.http.scores import requests as stored_requests
from tiercast.serving.http.scores import responses as stored_responses
from tiercast.serving.jobs import api_models
from tiercast.serving.online import requests, responses

READERS: tuple[Role, ...] = ("read", "score")
STORED: tuple[Endpoint, ...] = (
    Endpoint(
        "/v1/customers/lookup", "POST", ("read",), "The stored scores of up to 1,000 customers.",
        with_body(stored_requests.LookupRequest, handlers.lookup), {JSON: stored_responses.LookupResponse},
        stored_requests.LookupRequest, stored_examples.LOOKUP, statuses=(404,),
    ),
    Endpoint(
        "/v1/customers/history", "POST", ("read",), "One customer in each generation: the moves, and their reasons.",
        with_body(stored_requests.HistoryRequest, handlers.history), {JSON: stored_responses.HistoryResponse},
        stored_requests.HistoryRequest, stored_examples.HISTORY, statuses=(404,),
    ),
    Endpoint(
        "/v1/customers/search", "POST", ("read",), "Customers by tier, risk, value, reason or move: pages or a file.",
        with_body(stored_requests.SearchRequest, handlers.search),
        {JSON: stored_responses.SearchResponse, export.CSV: None, export.PARQUET: None},
        stored_requests.SearchRequest, stored_examples.SEARCH, statuses=(404, 410),
    ),
    Endpoint(
        "/v1/grid", "GET", ("read",), "Customers, value and value at risk per tier, and the moves between tiers.",
        without_body(handlers.grid), {JSON: stored_responses.GridResponse}, statuses=(404,),
    ),
    Endpoint(
        "/v1/generations", "GET", ("read",), "The published generations that are kept, and which one is served.",
        without_body(handlers.list_generations), {JSON: stored_responses.GenerationsResponse}, statuses=(404,),
    ),
)  # fmt: skip
JOBS: tuple[Endpoint, ...] = (
    Endpoint(
        "/v1/jobs/score", "POST", ("score",), "Submit a batch job: a configured source, scored as of a day.",
        with_body(api_models.JobRequest, jobs.submit), {JSON: api_models.JobStatus}, api_models.JobRequest,
        api_models.REQUEST, api_models.STATUS, statuses=(202, 404, 409),
    ),
    Endpoint(
        "/v1/jobs", "GET", READERS, "The sources that can be scored, and the newest hundred jobs.",
        without_body(jobs.list_jobs), {JSON: api_models.JobList}, response_example=api_models.LIST, statuses=(404,),
    ),
    Endpoint(
        "/v1/jobs/status", "POST", READERS, "The state of a job: its progress, and its result or error.",
        with_body(api_models.JobId, jobs.status), {JSON: api_models.JobStatus}, api_models.JobId,
        api_models.ID, api_models.STATUS, statuses=(404,),
    ),
    Endpoint(
        "/v1/jobs/cancel", "POST", ("score",), "Cancel a job.",
        with_body(api_models.JobId, jobs.cancel), {JSON: api_models.JobStatus}, api_models.JobId,
        api_models.ID, {**api_models.STATUS, "state": "cancelling"}, statuses=(404, 409),
    ),
)  # fmt: skip
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "/v1/score", "POST", ("score",), "Score customers from their raw transactions, as of a day.",
        online_scoring.score, {JSON: responses.ScoreResponse}, requests.ScoreRequest, online_scoring.EXAMPLE,
    ),
    Endpoint(
        "/v1/model", "GET", READERS, "The model, how well it did on unseen time, and what every number means.",
        pages.model_card, {JSON: schemas.ModelCard},
    ),
    *STORED,
    *JOBS,
    Endpoint(
        "/v1/admin/reload", "POST", ("admin",), "Serve the bundle that the folder or the registry holds now.",
        pages.reload, {JSON: schemas.Reloaded}, schemas.Reload, {},
        statuses=(409,),
    ),
    Endpoint("/", "GET", (), "A page about the service.", pages.first_page, {HTML: None}),
    Endpoint("/docs.json", "GET", (), "This document.", pages.document, {JSON: schemas.Document}),
    Endpoint("/schema.json", "GET", (), "The same document, with the keys that BentoML's clients need.", pages.schema,
          {JSON: schemas.Document}),
    Endpoint("/livez", "GET", (), "Whether the process lives.", pages.alive, {JSON: schemas.Alive}, is_probe=True),
    Endpoint("/healthz", "GET", (), "The same as /livez.", pages.alive, {JSON: schemas.Alive}, is_probe=True),
    Endpoint(
        "/readyz", "GET", (), "Whether the service is ready, and the state of each of its parts.",
        readiness.page, {JSON: schemas.Ready}, statuses=(503,), is_probe=True,
    ),
    Endpoint(
        "/metrics", "GET", pages.metrics_roles(), "Counters for Prometheus.", pages.counters, {TEXT: None},
        is_probe=True,
    ),
)  # fmt: skip
