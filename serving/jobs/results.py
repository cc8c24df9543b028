"""What a job may say of its outcome: counts and our own words. No id, no row, no path of this machine."""

from __future__ import annotations

from typing import Any

from tiercast.contract import errors
from tiercast.features.reading import columns
from tiercast.features.reading.report import TableReport
from tiercast.models.bundle import Bundle
from tiercast.serving.batch.scoring import Scored
from tiercast.serving.jobs.job import Job
from tiercast.serving.jobs.sources import Source


def refusal(error: errors.TiercastError, name: str, source: Source | None) -> dict[str, Any]:
    """The four parts of an error. Where a place was at fault, `first` is its key in the jobs file; never a row."""
    places = [] if source is None else _places(name, source)
    told = error.as_dict()
    at_fault = [key for place, key in places if place in (error.first or "")]
    return {
        **told,
        "message": _without(str(told["message"]), places),
        "hint": _without(str(told["hint"]), places),
        "first": at_fault[0] if at_fault else None,
    }


def fault(error: BaseException, job_id: str) -> dict[str, Any]:
    """Something that is not the caller's matter; the service's log has its place."""
    return {
        "code": "InternalError", "message": f"something went wrong on our side: {type(error).__name__}",
        "count": None, "total": None, "first": None, "hint": f"look at the service's log for {job_id}",
    }  # fmt: skip


def death(one: Job, attempts: int) -> dict[str, Any]:
    """The job's process ended before the job did, as often as it may be tried."""
    return {
        "code": "RunnerLost", "message": "the job's process ended early each time it was tried",
        "count": one.attempts, "total": attempts, "first": None,
        "hint": f"look at the service's log for {one.job_id}; if memory ran out, set `memory` for this source",
    }  # fmt: skip


def outcome(done: Scored, bundle: Bundle) -> dict[str, Any]:
    """How many customers are in which tier, and how many rows were left out for which reason."""
    tables = (done.reading.report.transactions, done.reading.report.customers, done.reading.report.interactions)
    return {
        "customers": done.totals.n_customers,
        "borderline": done.totals.n_borderline,
        "currency": bundle.about.currency,
        "tiers": [row._asdict() for row in done.totals.rows()],
        "overrides": done.overrides,
        "reading": {table.table: _counts(table) for table in tables if table is not None},
    }


def _counts(table: TableReport) -> dict[str, Any]:
    dropped = {reason: n for reason, n in table.dropped.items() if n}
    return {"rows_read": table.rows_read, "rows_kept": table.rows_kept, "dropped": dropped}


def _places(name: str, source: Source) -> list[tuple[str, str]]:
    """Each configured path and its key, the longest first: one may lie in another."""
    found = [(str(getattr(source, key)), f"sources.{name}.{key}") for key in (*columns.TABLES, "out")]
    return sorted((each for each in found if each[0] != "None"), key=lambda each: -len(each[0]))


def _without(text: str, places: list[tuple[str, str]]) -> str:
    for place, key in places:
        text = text.replace(place, key)
    return text
