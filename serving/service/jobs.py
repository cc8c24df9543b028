"""The addresses of batch jobs: asking for one, looking at them, calling one off; and the thread that runs them."""

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
from tiercast.serving.http import metrics, readiness, request_context
from tiercast.serving.http.error_responses import HttpError
from tiercast.serving.jobs import api_models, desk, job_queue, sources, worker
from tiercast.serving.jobs.api_models import JobId, JobRequest
from tiercast.serving.jobs.desk import Desk
from tiercast.serving.jobs.job_queue import Asked
from tiercast.serving.model_manager import source

Given = ParamSpec("Given")
STATUS_OF: dict[type[errors.TiercastError], int] = {
    errors.JobUnknown: 404,
    errors.JobOver: 409,
    errors.KeyReused: 409,
    errors.QueueFull: 429,
}
COUNTED = worker.Counted(metrics.job_ended, metrics.JOBS_WAITING.set)
RETRY = {"Retry-After": "30"}


def _refusing(answer: Callable[Given, Response]) -> Callable[Given, Response]:
    """Our errors as the statuses that they mean here. Raises `Refused`."""

    @functools.wraps(answer)
    def told(*args: Given.args, **kwargs: Given.kwargs) -> Response:
        try:
            return answer(*args, **kwargs)
        except tuple(STATUS_OF) as error:
            said = {name: part for name, part in error.as_dict().items() if part is not None and name != "first"}
            status = STATUS_OF[type(error)]
            raise HttpError(status, RETRY if status == 429 else None, **said) from None

    return told


@_refusing
def submit(asked: JobRequest) -> Response:
    """202 for a new job; 200 for one that this caller had asked for under the same key."""
    here = _desk()
    if asked.source not in here.rules.sources:
        wrong = [{"path": "source", "message": "there is no such source"}]
        raise HttpError(422, message="1 field does not fit", hint="GET /v1/jobs lists the sources", fields=wrong)
    by, wishes = request_context.current().key_id or "local", asked.options.model_dump(exclude_none=True)
    wanted = Asked(asked.source, asked.as_of, wishes, by, asked.idempotency_key)
    found = job_queue.submit(here.engine, wanted, here.rules.jobs.most_queued)
    if found.is_new:
        metrics.JOBS_SUBMITTED.inc()
    return _answer(api_models.status(found.job), 202 if found.is_new else 200)


@_refusing
def every() -> Response:
    here = _desk()
    return _answer(api_models.everything(here.rules, job_queue.listed(here.engine)))


@_refusing
def status(asked: JobId) -> Response:
    return _answer(api_models.status(job_queue.find(_desk().engine, asked.job_id)))


@_refusing
def cancel(asked: JobId) -> Response:
    found = job_queue.cancel(_desk().engine, asked.job_id)
    if found.is_over_now:
        metrics.JOBS_ENDED.labels(found.job.state).inc()
    return _answer(api_models.status(found.job))


def check() -> None:
    """Before anything listens. Raises `BadInput`."""
    worker.check(os.environ)


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Run jobs inside the block, and tell /readyz of it."""
    with worker.running(os.environ, _served, COUNTED) as started:
        if started is None:
            yield
            return
        readiness.register("jobs", lambda: readiness.State(True, started.problem or "run"))
        try:
            yield
        finally:
            readiness.unregister("jobs")


def _served() -> pathlib.Path:
    """The folder of the bundle that is served now."""
    bundles = source.from_env()
    return (bundles.cached() or bundles.latest()).folder


def _desk() -> Desk:
    """Raises `Refused`: 404 where no jobs are run, 503 where file or store do not fit just now."""
    file, url = os.environ.get(sources.VARIABLE), os.environ.get("TIERCAST_STORE")
    if not file or not url:
        hint = "start it with tiercast serve --jobs FILE --store URL"
        raise HttpError(404, code="NoJobs", message="this service runs no jobs", hint=hint)
    try:
        return desk.at(url, pathlib.Path(file))
    except errors.BadInput:  # it was right when the service started, and its words would name places of this machine
        raise HttpError(503, RETRY, message="the jobs' settings or store cannot be used just now") from None


def _answer(told: BaseModel, status: int = 200) -> Response:
    return Response(pydantic_core.to_json(told), status, media_type="application/json")
