"""Servers in the place of other services; a config service that answers as it is told to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest

from booking_service.clients.config import ConfigClient
from service_kit.peers import Peer


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    """Let a server answer inside the block, at this URL."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Config(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.body: Any = None
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        config = cast("Config", self.server)
        config.asked.append(self.path)
        raw = b"" if config.body is None else json.dumps(config.body).encode()
        self.send_response(config.status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def config() -> Iterator[Config]:
    with serving(server := Config()):
        yield server


@pytest.fixture
def config_client(config: Config) -> Iterator[ConfigClient]:
    peer = Peer("config", f"http://127.0.0.1:{config.server_port}", None)
    yield ConfigClient(peer)
    peer.close()
