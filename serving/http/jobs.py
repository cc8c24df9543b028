"""The jobs API over HTTP: statuses, metrics and readiness around `jobs.api`."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator

from starlette.responses import Response

from tiercast.contract import errors
from tiercast.serving.http import error_responses, metrics, readiness, request_context
from tiercast.serving.http.endpoint import json_response
from tiercast.serving.jobs import api, api_models, worker
from tiercast.serving.jobs.api_models import JobId, JobRequest
from tiercast.serving.model_manager import source

STATUS_BY_ERROR: dict[type[errors.TiercastError], int] = {
    errors.NoJobs: 404,
    errors.JobUnknown: 404,
    errors.JobOver: 409,
    errors.KeyReused: 409,
    errors.QueueFull: 429,
}
CALLBACKS = worker.Callbacks(metrics.job_ended, metrics.JOBS_WAITING.set)
RETRY = {"Retry-After": "30"}


def submit(request: JobRequest) -> Response:
    """202 for a new job; 200 for one that this caller had submitted under the same key."""
    submitted = _api().submit(request, submitted_by=request_context.current().key_id or "local")
    if submitted.is_new:
        metrics.JOBS_SUBMITTED.inc()
    return json_response(api_models.job_status(submitted.job), 202 if submitted.is_new else 200)


def list_jobs() -> Response:
    return json_response(_api().list_jobs())


def status(request: JobId) -> Response:
    return json_response(_api().status(request))


def cancel(request: JobId) -> Response:
    cancelled = _api().cancel(request)
    if cancelled.has_ended:
        metrics.JOBS_ENDED.labels(cancelled.job.state).inc()
    return json_response(api_models.job_status(cancelled.job))


def check() -> None:
    """Before anything listens. Raises `BadInput`."""
    worker.check_environment(os.environ)


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Run a worker inside the block, and report it to /readyz."""
    with worker.running(os.environ, _served_bundle, CALLBACKS) as started:
        if started is None:
            yield
            return
        readiness.register("jobs", lambda: readiness.State(True, started.problem or "run"))
        try:
            yield
        finally:
            readiness.unregister("jobs")


def _served_bundle() -> pathlib.Path:
    """The folder of the bundle that is served now."""
    bundles = source.from_env()
    return (bundles.cached() or bundles.latest()).folder


def _api() -> api.JobsApi:
    return api.from_env(os.environ)


def _response(error: errors.TiercastError) -> Response:
    parts = {name: part for name, part in error.as_dict().items() if part is not None and name != "first"}
    status = STATUS_BY_ERROR[type(error)]
    return error_responses.response(status, RETRY if status == 429 else None, **parts)


def _unknown_source(error: errors.JobSourceUnknown) -> Response:
    fields = [{"path": error.first, "message": error.what}]
    return error_responses.response(422, message="1 field does not fit", hint=error.hint, fields=fields)


def _unavailable(error: errors.JobsUnavailable) -> Response:
    return error_responses.response(503, RETRY, message=error.what)


HANDLERS: error_responses.Handlers = {
    errors.JobSourceUnknown: error_responses.handler(_unknown_source),
    errors.JobsUnavailable: error_responses.handler(_unavailable),
    **dict.fromkeys(STATUS_BY_ERROR, error_responses.handler(_response)),
}
"""The exception handlers for the errors of the jobs API."""
