"""What the service counts: requests by route and status, their time, customers scored.

BentoML's own counters take the raw path as a label, so that one odd URL after another fills the memory and what stands
in them can be read by whoever reads /metrics. Here a route is one of ours or `unknown`.
"""

from __future__ import annotations

import os

import prometheus_client
from prometheus_client import multiprocess

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUESTS = prometheus_client.Counter("tiercast_requests", "Requests answered", ["route", "status"])
SECONDS = prometheus_client.Histogram("tiercast_request_seconds", "Time to answer", ["route"], buckets=BUCKETS)
CUSTOMERS = prometheus_client.Counter("tiercast_customers_scored", "Customers scored", ["tier"])
MEDIA_TYPE = prometheus_client.CONTENT_TYPE_LATEST


def text() -> bytes:
    """All counters in Prometheus' text format; of all workers where they share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        kept = prometheus_client.CollectorRegistry()
        for ours in (REQUESTS, SECONDS, CUSTOMERS):
            kept.register(ours)
        return prometheus_client.generate_latest(kept)
    registry = prometheus_client.CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return prometheus_client.generate_latest(registry)
