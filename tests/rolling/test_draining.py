"""How a web process ends: the servers of our services, with an app that can be slow."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse

import pytest

from devstack.health import READY, ask
from devstack.ports import LOOPBACK, free_ports
from devstack.settings import CHECKOUT
from devstack.testing import eventually


@dataclass(frozen=True)
class Server:
    port: int
    process: subprocess.Popen[bytes]

    @property
    def ready(self) -> bool:
        return ask(f"http://{LOOPBACK}:{self.port}/readyz") == READY

    def connection(self) -> closing[HTTPConnection]:
        return closing(HTTPConnection(LOOPBACK, self.port, timeout=10))


@pytest.fixture
def server() -> Iterator[Server]:
    told = {**free_ports(["PORT"]), "WEB_CONCURRENCY": "1", "DRAIN_SECONDS": "1"}
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"),
            "tests.rolling.slow_service:app",
        ],
        cwd=CHECKOUT,
        env={**os.environ, **told},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        server = Server(int(told["PORT"]), process)
        eventually(lambda: server.ready)
        yield server
    finally:
        process.kill()
        process.wait()


def nap(connection: HTTPConnection, seconds: float = 0) -> HTTPResponse:
    connection.request("GET", f"/naps?seconds={seconds}")
    answer = connection.getresponse()
    answer.read()
    return answer


def test_a_stopping_server_serves_on_until_nobody_has_a_connection(server: Server) -> None:
    with server.connection() as kept, server.connection() as late, server.connection() as slow:
        assert nap(kept).getheader("Connection") != "close"
        with ThreadPoolExecutor() as clients:
            under_way = clients.submit(nap, slow, 2)
            nap(kept)
            server.process.terminate()
            eventually(lambda: not server.ready)

            answers = [nap(kept), nap(late)]

            assert [answer.status for answer in answers] == [200, 200]
            assert [answer.getheader("Connection") for answer in answers] == ["close", "close"]
            assert under_way.result().status == 200
    assert server.process.wait(timeout=10) == 0


def test_a_server_that_drains_is_alive_and_not_ready(server: Server) -> None:
    server.process.terminate()
    eventually(lambda: not server.ready)

    with server.connection() as alive, server.connection() as ready:
        alive.request("GET", "/healthz")
        ready.request("GET", "/readyz?exclude=database")
        assert (alive.getresponse().status, ready.getresponse().status) == (200, 503)
