"""The jobs API of a service: submit, list, look up and cancel batch jobs. It raises our errors and knows no HTTP."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import NamedTuple

from tiercast.contract import errors
from tiercast.serving.jobs import api_models, job_queue, sources
from tiercast.serving.jobs.api_models import JobId, JobList, JobRequest, JobStatus
from tiercast.serving.jobs.job_queue import Cancelled, JobSpec, Submitted
from tiercast.serving.jobs.sources import JobsFile
from tiercast.serving.store.database import Store


class JobsApi(NamedTuple):
    """The store with the queue, and the jobs file as it was when the request came."""

    engine: Store
    jobs_file: JobsFile

    def submit(self, request: JobRequest, submitted_by: str) -> Submitted:
        """Queue a job. Raises `JobSourceUnknown`, `KeyReused` and `QueueFull`."""
        if request.source not in self.jobs_file.sources:
            hint = "GET /v1/jobs lists the sources"
            raise errors.JobSourceUnknown("there is no such source", first="source", hint=hint)
        options = request.options.model_dump(exclude_none=True)
        spec = JobSpec(request.source, request.as_of, options, submitted_by, request.idempotency_key)
        return job_queue.submit(self.engine, spec, self.jobs_file.jobs.most_queued)

    def list_jobs(self) -> JobList:
        """The sources, and the newest hundred jobs."""
        return api_models.job_list(self.jobs_file, job_queue.latest(self.engine))

    def status(self, request: JobId) -> JobStatus:
        """One job. Raises `JobUnknown`."""
        return api_models.job_status(job_queue.get(self.engine, request.job_id))

    def cancel(self, request: JobId) -> Cancelled:
        """Cancel a job. Raises `JobUnknown`, and `JobOver` for one that has ended."""
        return job_queue.cancel(self.engine, request.job_id)


def from_env(environment: Mapping[str, str]) -> JobsApi:
    """The API for the jobs file and the store in the environment.

    Raises `NoJobs` without them, `JobsUnavailable` and `StoreUnavailable` where they cannot be used just now.

    The file is read for every request, so that a new source needs no restart.
    """
    file, url = environment.get(sources.VARIABLE), environment.get("TIERCAST_STORE")
    if not file or not url:
        hint = "start it with tiercast serve --jobs FILE --store URL"
        raise errors.NoJobs("this service runs no jobs", hint=hint)
    try:
        return JobsApi(job_queue.open_store(url), sources.read(pathlib.Path(file)))
    except errors.BadInput:  # both were right when the service started; their errors name paths of this machine
        what, hint = "the jobs' settings or store cannot be used just now", "try again in a few seconds"
        raise errors.JobsUnavailable(what, hint=hint) from None
