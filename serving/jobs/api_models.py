"""Requests and responses of the jobs API. No database is imported, so that the client can use them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tiercast.contract.scores import Reasons
from tiercast.serving.jobs import states
from tiercast.serving.jobs.states import State

if TYPE_CHECKING:
    from tiercast.serving.jobs.job import BatchJob
    from tiercast.serving.jobs.sources import JobsFile


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class JobOptions(_Request):
    """Settings that narrow those of the source; none of them can widen it."""

    reasons: Annotated[
        Literal["risky", "none"] | None, Field(description="Reasons for customers at risk only, or for none.")
    ] = None
    publish: Annotated[Literal[False] | None, Field(description="false: write the file without publishing it.")] = None


class JobRequest(_Request):
    """Score a configured source as of a day."""

    source: Annotated[str, Field(pattern=f"^{states.NAME}$", description="A name that GET /v1/jobs lists.")]
    as_of: Annotated[dt.date, Field(strict=True, description="The day of knowledge, such as 2024-06-30.")]
    options: JobOptions = JobOptions()
    idempotency_key: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9._:-]{1,64}$",
            description="A second request with the same key returns the same job.",
        ),
    ] = None


class JobId(_Request):
    """One job."""

    job_id: Annotated[str, Field(pattern=f"^{states.ID}$")]


class JobError(BaseModel):
    """Why the job failed: counts and our own words, never a row. `first` is a key of the jobs file."""

    code: str
    message: str
    hint: str
    count: int | None
    total: int | None
    first: str | None


class JobStatus(BaseModel):
    """One job. `result` counts customers per tier and dropped rows; `generation_id` is set if it published."""

    job_id: str
    source: str
    as_of: dt.date
    options: dict[str, Any]
    state: State
    submitted_by: str
    submitted_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    attempts: int
    step: str | None
    progress: float
    model: str | None
    result: dict[str, Any] | None
    generation_id: int | None
    error: JobError | None


class JobSource(BaseModel):
    """A source that a job can name. Callers do not see the place of its data."""

    name: str
    publish: bool
    reasons: Reasons


class JobList(BaseModel):
    """The sources, and the newest hundred jobs, newest first."""

    sources: list[JobSource]
    jobs: list[JobStatus]


def job_status(job: BatchJob) -> JobStatus:
    return JobStatus.model_validate(job._asdict())


def job_list(jobs_file: JobsFile, jobs: list[BatchJob]) -> JobList:
    sources = [
        JobSource(name=name, publish=source.publish, reasons=source.reasons)
        for name, source in sorted(jobs_file.sources.items())
    ]
    return JobList(sources=sources, jobs=[job_status(job) for job in jobs])


REQUEST: dict[str, Any] = {"source": "shop", "as_of": "1998-07-01", "idempotency_key": "nightly-1998-07-01"}
ID: dict[str, Any] = {"job_id": "job_98dfe4e56a2de4d2"}
STATUS: dict[str, Any] = {
    **ID,
    "source": "shop",
    "as_of": "1998-07-01",
    "options": {},
    "state": "running",
    "submitted_by": "4f1c0a9be2d7",
    "submitted_at": "1998-07-01T01:00:00Z",
    "started_at": "1998-07-01T01:00:01Z",
    "finished_at": None,
    "attempts": 1,
    "step": "scoring",
    "progress": 0.4,
    "model": "tiercast 7 (0b2c4d)",
    "result": None,
    "generation_id": None,
    "error": None,
}
LIST: dict[str, Any] = {"sources": [{"name": "shop", "publish": True, "reasons": "all"}], "jobs": [STATUS]}
