"""Prometheus metrics of a service: requests by route, for all processes of the service together."""

import os
from functools import cache

from flask import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Histogram(
    "http_request_duration_seconds",
    "Time to answer a request, by route.",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


@cache
def requests_of(method: str, route: str | None, status: int) -> Histogram:
    """Return where requests are counted and timed: by route, never by their concrete path."""
    return REQUESTS.labels(method, route or "(unknown)", status)


def exposition() -> bytes:
    """Return the metrics as text; under gunicorn those of all workers, summed."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def metrics_response() -> Response:
    """Answer `GET /metrics`."""
    return Response(exposition(), content_type=CONTENT_TYPE_LATEST)
