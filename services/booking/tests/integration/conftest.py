"""A config service that answers as it is told to."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest

from booking_service.clients.config import ConfigClient
from service_kit.peers import Peer


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
    server = Config()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def config_client(config: Config) -> Iterator[ConfigClient]:
    peer = Peer("config", f"http://127.0.0.1:{config.server_address[1]}", None)
    yield ConfigClient(peer)
    peer.close()
