"""Prometheus metrics of a service: requests by route, for all processes of the service together."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
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
LOOK_SECONDS = 5.0

_looks: list[Callable[[], None]] = []


@cache
def requests_of(method: str, route: str | None, status: int) -> Histogram:
    """Return where requests are counted and timed: by route, never by their concrete path."""
    return REQUESTS.labels(method, route or "(unknown)", status)


def looked_at(look: Callable[[], None]) -> Callable[[], None]:
    """Have `look` set gauges now and then, so that no request pays for them: a decorator."""
    _looks.append(look)
    return look


def look_regularly() -> None:
    """Keep this process's gauges fresh: another one may be asked for the metrics of all."""

    def look() -> None:
        while True:
            with suppress(RuntimeError):  # something was added just now: the next time then
                _look()
            time.sleep(LOOK_SECONDS)

    threading.Thread(target=look, name="gauges", daemon=True).start()


def exposition() -> bytes:
    """Return the metrics as text; under gunicorn those of all workers, summed."""
    _look()
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def metrics_response() -> Response:
    """Answer `GET /metrics`."""
    return Response(exposition(), content_type=CONTENT_TYPE_LATEST)


def _look() -> None:
    for look in _looks:
        look()
