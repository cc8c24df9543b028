"""Prometheus metrics of the service, with labels that only we choose.

BentoML's own counters have the raw path as a label: odd URLs would fill the memory, and show in /metrics. Here a
route is one of ours or `unknown`.

What was scored is counted up to bounds, as Prometheus' histograms are (`le`), but a request at a time: a thousand
customers cost two dozen additions instead of four thousand.
"""

from __future__ import annotations

import collections
import functools
import os
import pathlib
from bisect import bisect_left
from collections.abc import Iterable
from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client import multiprocess

if TYPE_CHECKING:
    from tiercast.serving.jobs.job import BatchJob

SHARED = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if SHARED:
    pathlib.Path(SHARED).mkdir(parents=True, exist_ok=True)  # a counter opens its file there as soon as it is made
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
JOB_BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0)
RISKS = tuple(tenth / 10 for tenth in range(1, 11))
VALUES = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5)
REQUESTS = prometheus_client.Counter("tiercast_requests", "Requests answered", ["route", "status"])
SECONDS = prometheus_client.Histogram("tiercast_request_seconds", "Time to answer", ["route"], buckets=BUCKETS)
IN_FLIGHT = prometheus_client.Gauge(
    "tiercast_requests_in_flight", "Requests being answered", multiprocess_mode="livesum"
)
CUSTOMERS = prometheus_client.Counter("tiercast_customers_scored", "Customers scored", ["tier"])
P_CHURN = prometheus_client.Counter("tiercast_scored_p_churn", "Customers scored with a risk up to le", ["le"])
VALUE = prometheus_client.Counter("tiercast_scored_value", "Customers scored with a value up to le", ["le"])
REFUSED = prometheus_client.Counter("tiercast_keys_refused", "Requests without the right key", ["why"])
UNAUDITED = prometheus_client.Counter("tiercast_audit_failures", "Lines that could not be written to the audit log")
MODEL = prometheus_client.Gauge(
    "tiercast_model_info", "1 for the model that answers", ["model"], multiprocess_mode="max"
)
KEYS_READ = prometheus_client.Gauge(
    "tiercast_keys_read_timestamp_seconds", "When the keys were last read", multiprocess_mode="livemin"
)
GENERATION = prometheus_client.Gauge(
    "tiercast_generation_published_timestamp_seconds",
    "When the served scores were published",
    multiprocess_mode="livemax",
)
GENERATION_ID = prometheus_client.Gauge(
    "tiercast_generation_id", "The generation of scores that is served", multiprocess_mode="livemax"
)
JOBS_SUBMITTED = prometheus_client.Counter("tiercast_jobs_submitted", "Batch jobs accepted")
JOBS_ENDED = prometheus_client.Counter("tiercast_jobs_ended", "Batch jobs that are over", ["outcome"])
JOB_SECONDS = prometheus_client.Histogram(
    "tiercast_job_seconds", "Time of a batch job from its last start to its end", ["outcome"], buckets=JOB_BUCKETS
)
JOBS_WAITING = prometheus_client.Gauge(
    "tiercast_jobs_waiting", "Batch jobs that wait in the store", multiprocess_mode="livemostrecent"
)
EVERY = (
    REQUESTS, SECONDS, IN_FLIGHT, CUSTOMERS, P_CHURN, VALUE, REFUSED, UNAUDITED, MODEL, KEYS_READ, GENERATION,
    GENERATION_ID, JOBS_SUBMITTED, JOBS_ENDED, JOB_SECONDS, JOBS_WAITING,
)  # fmt: skip
MEDIA_TYPE = prometheus_client.CONTENT_TYPE_LATEST


def count_request(route: str, status: int, seconds: float) -> None:
    """Count a response; `route` is one of ours, or `unknown`."""
    requests, timed = _labelled(route, status)
    requests.inc()
    timed.observe(seconds)


@functools.cache
def _labelled(route: str, status: int) -> tuple[prometheus_client.Counter, prometheus_client.Histogram]:
    return REQUESTS.labels(route, str(status)), SECONDS.labels(route)


def count_scores(tiers: Iterable[str], p_churn: Iterable[float | None], value: Iterable[float | None]) -> None:
    """Count the scores of a response, given as columns; a prospect has neither risk nor value."""
    for tier, n in collections.Counter(tiers).items():
        CUSTOMERS.labels(tier).inc(n)
    _count_up_to(P_CHURN, RISKS, p_churn)
    _count_up_to(VALUE, VALUES, value)


def _count_up_to(
    counter: prometheus_client.Counter, bounds: tuple[float, ...], numbers: Iterable[float | None]
) -> None:
    found = collections.Counter(bisect_left(bounds, number) for number in numbers if number is not None)
    below = 0
    for place, child in enumerate(_up_to(counter, bounds)):
        below += found[place]
        if below:
            child.inc(below)


@functools.cache
def _up_to(counter: prometheus_client.Counter, bounds: tuple[float, ...]) -> list[prometheus_client.Counter]:
    """What counts up to each bound; finding one by its label takes as long as counting."""
    return [counter.labels(bound) for bound in (*map(str, bounds), "+Inf")]


def job_ended(job: BatchJob) -> None:
    """Count a batch job that was run and is over."""
    JOBS_ENDED.labels(job.state).inc()
    if job.started_at is not None and job.finished_at is not None:
        JOB_SECONDS.labels(job.state).observe((job.finished_at - job.started_at).total_seconds())


def serves(model: str, before: str | None = None) -> None:
    """Set which model is served, and which no longer is."""
    if before is not None and before != model:
        MODEL.labels(before).set(0)
    MODEL.labels(model).set(1)


def text() -> bytes:
    """All counters in Prometheus' text format; of all workers where they share a folder."""
    registry = prometheus_client.CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        for ours in EVERY:
            registry.register(ours)
    return prometheus_client.generate_latest(registry)
