"""What a caller sends and gets at the addresses of batch jobs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tiercast.contract.scores import Reasons
from tiercast.serving.jobs import states
from tiercast.serving.jobs.states import State

if TYPE_CHECKING:  # the forms are the client's too, which has no database
    from tiercast.serving.jobs.job import Job
    from tiercast.serving.jobs.sources import Configured


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Wishes(_Strict):
    """What may differ from the source's own settings: less than it gives, never more."""

    reasons: Annotated[Literal["risky", "none"] | None, Field(description="To those at risk, or to nobody.")] = None
    publish: Annotated[
        Literal[False] | None, Field(description="false: write the file, and leave what is served as it is.")
    ] = None


class JobRequest(_Strict):
    """Score a configured source as of a day."""

    source: Annotated[str, Field(pattern=f"^{states.NAME}$", description="A name that GET /v1/jobs lists.")]
    as_of: Annotated[dt.date, Field(strict=True, description="The day of knowledge, such as 2024-06-30.")]
    options: Wishes = Wishes()
    idempotency_key: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9._:-]{1,64}$",
            description="Asked again with the same one, you get the same job and no second one.",
        ),
    ] = None


class JobId(_Strict):
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
    """One job. `result` has the counts per tier and of the rows that were left out; `generation_id` if it published."""

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
    """A source that can be named; where its data are is the service's matter."""

    name: str
    publish: bool
    reasons: Reasons


class JobList(BaseModel):
    """The sources, and the newest hundred jobs, the newest first."""

    sources: list[JobSource]
    jobs: list[JobStatus]


def status(one: Job) -> JobStatus:
    return JobStatus.model_validate(one._asdict())


def everything(rules: Configured, jobs: list[Job]) -> JobList:
    named = [
        JobSource(name=name, publish=each.publish, reasons=each.reasons) for name, each in sorted(rules.sources.items())
    ]
    return JobList(sources=named, jobs=[status(one) for one in jobs])


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
