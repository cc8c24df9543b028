"""The jobs API over HTTP: statuses, metrics and readiness around `jobs.api`."""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import ParamSpec

import pydantic_core
from pydantic import BaseModel
from starlette.responses import Response

from tiercast.contract import errors
from tiercast.serving.http import error_responses, metrics, readiness, request_context
from tiercast.serving.jobs import api, api_models, worker
from tiercast.serving.jobs.api_models import JobId, JobRequest
from tiercast.serving.model_manager import source

Parameters = ParamSpec("Parameters")
STATUS_BY_ERROR: dict[type[errors.TiercastError], int] = {
    errors.NoJobs: 404,
    errors.JobUnknown: 404,
    errors.JobOver: 409,
    errors.KeyReused: 409,
    errors.QueueFull: 429,
}
CALLBACKS = worker.Callbacks(metrics.job_ended, metrics.JOBS_WAITING.set)
RETRY = {"Retry-After": "30"}


def _refusing(handler: Callable[Parameters, Response]) -> Callable[Parameters, Response]:
    """The handler, with the errors of the jobs API as responses. Raises `Refused`."""

    @functools.wraps(handler)
    def handle(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Response:
        try:
            return handler(*args, **kwargs)
        except errors.JobSourceUnknown as error:
            fields = [{"path": error.first, "message": error.what}]
            raise error_responses.Refused(422, message="1 field does not fit", hint=error.hint, fields=fields) from None
        except errors.JobsUnavailable as error:
            raise error_responses.Refused(503, RETRY, message=error.what) from None
        except tuple(STATUS_BY_ERROR) as error:
            parts = {name: part for name, part in error.as_dict().items() if part is not None and name != "first"}
            status = STATUS_BY_ERROR[type(error)]
            raise error_responses.Refused(status, RETRY if status == 429 else None, **parts) from None

    return handle


@_refusing
def submit(request: JobRequest) -> Response:
    """202 for a new job; 200 for one that this caller had submitted under the same key."""
    submitted = _api().submit(request, submitted_by=request_context.current().key_id or "local")
    if submitted.is_new:
        metrics.JOBS_SUBMITTED.inc()
    return _json(api_models.job_status(submitted.job), 202 if submitted.is_new else 200)


@_refusing
def list_jobs() -> Response:
    return _json(_api().list_jobs())


@_refusing
def status(request: JobId) -> Response:
    return _json(_api().status(request))


@_refusing
def cancel(request: JobId) -> Response:
    cancelled = _api().cancel(request)
    if cancelled.has_ended:
        metrics.JOBS_ENDED.labels(cancelled.job.state).inc()
    return _json(api_models.job_status(cancelled.job))


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


def _json(model: BaseModel, status: int = 200) -> Response:
    return Response(pydantic_core.to_json(model), status, media_type="application/json")
