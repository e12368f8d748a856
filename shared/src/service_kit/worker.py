"""The frame of a worker process: health and metrics on a port, a clean end on SIGTERM."""

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import structlog

from service_kit import metrics

log = structlog.get_logger(__name__)


def run_until_stopped(*, port: int, ready: Callable[[], None]) -> None:
    """Serve `/healthz`, `/readyz` and `/metrics` until SIGTERM or SIGINT arrives.

    On the address `BIND`, as web servers do; loopback if it is not set. `ready` raises if the
    worker cannot do its work.
    """
    stopping = _signals(signal.SIGTERM, signal.SIGINT)
    with _serving(port, ready):
        log.info("worker started", port=port)
        stopping.recv(1)
    log.info("worker stopping")


def _signals(*numbers: signal.Signals) -> socket.socket:
    """Return what there is something to read from when one of these has arrived.

    A handler in Python would not do: it is run by the main thread, which is not woken for it when
    the system gives the signal to another one.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach())
    for number in numbers:
        signal.signal(number, lambda *_: None)
    return reader


@contextmanager
def _serving(port: int, ready: Callable[[], None]) -> Iterator[None]:
    server = _HealthServer(port, ready)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class _HealthServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, ready: Callable[[], None]) -> None:
        super().__init__((os.environ.get("BIND", "127.0.0.1"), port), _HealthHandler)
        self.ready = ready


class _HealthHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(HTTPStatus.OK, "text/plain; version=0.0.4", metrics.exposition())
        elif self.path == "/healthz":
            self._status(HTTPStatus.OK, "ok")
        elif self.path == "/readyz":
            self._readiness()
        else:
            self._status(HTTPStatus.NOT_FOUND, "unknown path")

    def _readiness(self) -> None:
        try:
            cast("_HealthServer", self.server).ready()
        except Exception as error:  # noqa: BLE001 whatever it is: not ready
            log.warning("not ready", reason=type(error).__name__)
            self._status(HTTPStatus.SERVICE_UNAVAILABLE, "not ready")
        else:
            self._status(HTTPStatus.OK, "ready")

    def _status(self, status: HTTPStatus, text: str) -> None:
        self._answer(status, "application/json", json.dumps({"status": text}).encode())

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "worker"

    def log_message(self, format: str, *args: object) -> None:
        """Keep health checks out of the logs."""
