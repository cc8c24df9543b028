"""Prometheus metrics of the service, with labels that only we choose.

BentoML's own counters have the raw path as a label: odd URLs would fill the memory, and show in /metrics. Here a
route is one of ours or `unknown`.

Scores are counted by bounds, as in Prometheus' histograms (`le`), but per request instead of per customer. As in its
histograms, the bounds are added up when the metrics are read.
"""

from __future__ import annotations

import collections
import functools
import os
import pathlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

import prometheus_client
from prometheus_client import Metric, multiprocess
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

if TYPE_CHECKING:
    from tiercast.serving.jobs.job import BatchJob

SHARED = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if SHARED:
    pathlib.Path(SHARED).mkdir(parents=True, exist_ok=True)  # a counter opens its file there as soon as it is made
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
JOB_BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0)
RISKS = tuple(tenth / 10 for tenth in range(1, 11))
VALUES = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5)
REQUESTS = prometheus_client.Counter("tiercast_requests", "Responses, by route and status", ["route", "status"])
SECONDS = prometheus_client.Histogram("tiercast_request_seconds", "Time to respond", ["route"], buckets=BUCKETS)
IN_FLIGHT = prometheus_client.Gauge(
    "tiercast_requests_in_flight", "Requests that are being handled", multiprocess_mode="livesum"
)
CUSTOMERS = prometheus_client.Counter("tiercast_customers_scored", "Customers scored", ["tier"])
P_CHURN = prometheus_client.Counter("tiercast_scored_p_churn", "Customers scored with a risk up to le", ["le"])
VALUE = prometheus_client.Counter("tiercast_scored_value", "Customers scored with a value up to le", ["le"])
REFUSED = prometheus_client.Counter("tiercast_keys_refused", "Requests without the right key", ["why"])
UNAUDITED = prometheus_client.Counter("tiercast_audit_failures", "Lines that could not be written to the audit log")
MODEL = prometheus_client.Gauge("tiercast_model_info", "1 for the served model", ["model"], multiprocess_mode="max")
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
    responses, durations = _of_route(route, status)
    responses.inc()
    durations.observe(seconds)


@functools.cache
def _of_route(route: str, status: int) -> tuple[prometheus_client.Counter, prometheus_client.Histogram]:
    return REQUESTS.labels(route, str(status)), SECONDS.labels(route)


def count_scores(tiers: Iterable[str], p_churn: Iterable[float | None], value: Iterable[float | None]) -> None:
    """Count the scores of a response, given as columns; a prospect has neither risk nor value."""
    for tier, n in collections.Counter(tiers).items():
        CUSTOMERS.labels(tier).inc(n)
    _count_by_bound(P_CHURN, RISKS, p_churn)
    _count_by_bound(VALUE, VALUES, value)


def _count_by_bound(
    counter: prometheus_client.Counter, bounds: tuple[float, ...], numbers: Iterable[float | None]
) -> None:
    """Count each number at the smallest bound that is not below it; `_accumulated` adds the bounds up."""
    counters = _counters(counter, bounds)
    for index, n in collections.Counter(bisect_left(bounds, each) for each in numbers if each is not None).items():
        counters[index].inc(n)


@functools.cache
def _counters(counter: prometheus_client.Counter, bounds: tuple[float, ...]) -> list[prometheus_client.Counter]:
    """The counter of each bound, cached: looking one up by its label takes as long as counting."""
    return [counter.labels(bound) for bound in _labels(bounds)]


def _labels(bounds: tuple[float, ...]) -> tuple[str, ...]:
    return (*map(str, bounds), "+Inf")


def job_ended(job: BatchJob) -> None:
    """Count a batch job that was run and is over."""
    JOBS_ENDED.labels(job.state).inc()
    if job.started_at is not None and job.finished_at is not None:
        JOB_SECONDS.labels(job.state).observe((job.finished_at - job.started_at).total_seconds())


def set_served_model(model: str, previous: str | None = None) -> None:
    """Report `model` as the served one instead of `previous`."""
    if previous is not None and previous != model:
        MODEL.labels(previous).set(0)
    MODEL.labels(model).set(1)


def text() -> bytes:
    """All counters in Prometheus' text format; of all workers where they share a folder."""
    registry = prometheus_client.CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        for ours in EVERY:
            registry.register(ours)
    return prometheus_client.generate_latest(_Accumulated(registry))


class _Accumulated:
    """The metrics of a registry, with scores counted up to each bound as Prometheus expects it of `le`."""

    BOUNDS: ClassVar = {"tiercast_scored_p_churn": RISKS, "tiercast_scored_value": VALUES}

    def __init__(self, registry: Collector) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            if metric.name in self.BOUNDS:
                metric.samples = list(_accumulated(metric.samples, self.BOUNDS[metric.name]))
            yield metric


def _accumulated(samples: Sequence[Sample], bounds: tuple[float, ...]) -> Iterator[Sample]:
    counts = {sample.labels["le"]: sample for sample in samples if sample.name.endswith("_total")}
    total = 0.0
    for label in _labels(bounds):
        if label in counts:
            total += counts[label].value
            yield counts[label]._replace(value=total)
