"""The result or the error that a job's status shows: counts and our own words. No id, no row, no path."""

from __future__ import annotations

from typing import Any

from tiercast.contract import errors
from tiercast.features.reading import columns
from tiercast.features.reading.report import TableReport
from tiercast.models.bundle import Bundle
from tiercast.serving.batch.scoring import BatchResult
from tiercast.serving.jobs.job import BatchJob
from tiercast.serving.jobs.sources import ConfiguredSource


def summary(scored: BatchResult, bundle: Bundle) -> dict[str, Any]:
    """Customers per tier, and rows read and dropped per table and reason."""
    tables = (scored.reading.report.transactions, scored.reading.report.customers, scored.reading.report.interactions)
    return {
        "customers": scored.totals.n_customers,
        "borderline": scored.totals.n_borderline,
        "currency": bundle.about.currency,
        "tiers": [row._asdict() for row in scored.totals.rows()],
        "overrides": scored.overrides,
        "reading": {table.table: _row_counts(table) for table in tables if table is not None},
    }


def from_error(error: errors.TiercastError, name: str, source: ConfiguredSource | None) -> dict[str, Any]:
    """The parts of an error of ours, with keys of the jobs file instead of paths; `first` never quotes a row."""
    keys = {} if source is None else _keys_by_place(name, source)
    parts = error.as_dict()
    at_fault = [key for place, key in keys.items() if place in (error.first or "")]
    return {
        **parts,
        "message": _without_places(str(parts["message"]), keys),
        "hint": _without_places(str(parts["hint"]), keys),
        "first": at_fault[0] if at_fault else None,
    }


def internal_error(error: BaseException, job_id: str) -> dict[str, Any]:
    """An error that no caller caused; the service's log has its place in the code."""
    return {
        "code": "InternalError", "message": f"something went wrong on our side: {type(error).__name__}",
        "count": None, "total": None, "first": None, "hint": f"look at the service's log for {job_id}",
    }  # fmt: skip


def process_died(job: BatchJob, attempts: int) -> dict[str, Any]:
    """The error of a job whose process died in every one of its attempts."""
    return {
        "code": "RunnerLost", "message": "the job's process ended early each time it was tried",
        "count": job.attempts, "total": attempts, "first": None,
        "hint": f"look at the service's log for {job.job_id}; if memory ran out, set `memory` for this source",
    }  # fmt: skip


def _row_counts(table: TableReport) -> dict[str, Any]:
    dropped = {reason: n for reason, n in table.dropped.items() if n}
    return {"rows_read": table.rows_read, "rows_kept": table.rows_kept, "dropped": dropped}


def _keys_by_place(name: str, source: ConfiguredSource) -> dict[str, str]:
    """Each configured path or URL with its key, longest first: one may contain another."""
    places = {str(getattr(source, key)): f"sources.{name}.{key}" for key in (*columns.TABLES, "out")}
    places.pop("None", None)
    return dict(sorted(places.items(), key=lambda place: -len(place[0])))


def _without_places(text: str, keys: dict[str, str]) -> str:
    for place, key in keys.items():
        text = text.replace(place, key)
    return text
