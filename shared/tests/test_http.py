"""The connections of a client, counted by a server that keeps them open."""

import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from service_kit.http import HttpClient


class Lasting(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections = 0

    def get_request(self) -> tuple[Any, Any]:
        self.connections += 1
        return super().get_request()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Lasting]:
    with Lasting() as server:
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("may_idle", "connections"), [(60.0, 1), (0.0, 3)])
def test_a_connection_that_idled_for_too_long_is_not_used_again(
    server: Lasting, monkeypatch: pytest.MonkeyPatch, may_idle: float, connections: int
) -> None:
    monkeypatch.setattr("service_kit.http.MAX_IDLE_SECONDS", may_idle)

    with closing(HttpClient()) as client:
        for _ in range(3):
            client.send("GET", f"http://127.0.0.1:{server.server_port}/", seconds=5)

    assert server.connections == connections
