"""The real Caddy with the real Caddyfile; behind it, small servers that say what reached them."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

GATEWAY = Path(__file__).parents[2] / "deploy" / "gateway"
CADDYFILE = GATEWAY / "Caddyfile"
SERVICES = ("identity", "catalog", "booking", "config")


@dataclass(frozen=True)
class Received:
    """A request as a service saw it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, header: str) -> list[str]:
        return [value for name, value in self.headers if name.lower() == header.lower()]


@dataclass(frozen=True)
class Answer:
    """What the gateway's client got."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def service(self) -> str | None:
        """The service that answered, None when the gateway itself did."""
        return self.headers["X-Answered-By"]


class NotRunning(Exception):
    """The gateway ended or did not get ready."""


class Service(ThreadingHTTPServer):
    """A server that answers every request with 200 and remembers it.

    The exchange at identity gives `live` a token, lets `anonymous` pass without one, and refuses
    every other credential. The query `answer=` of other requests asks for a misbehaviour.
    """

    daemon_threads = True

    def __init__(self, name: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), ServiceHandler)
        self.name = name
        self.received: list[Received] = []
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def take_received(self) -> list[Received]:
        """Return what arrived since the last call, health checks left out."""
        received, self.received = self.received, []
        return received

    def stop(self) -> None:
        """Stop answering, until the other ends have closed their connections, too.

        A request that goes out on a connection whose end the gateway has not noticed yet would be
        in doubt: answered with 503 at once, not waited for. Harmless when repeated.
        """
        self.shutdown()
        self.server_close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(5)
                while connection.recv(65536):
                    pass
        self._thread.join()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that hang up are part of these tests."""


class ServiceHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Leaky/1.0"
    disable_nagle_algorithm = True
    server: Service

    def answer(self) -> None:
        if self.path == "/readyz?exclude=database":
            self._reply(200)
            return
        unread = "answer=unread" in self.path
        headers = [(name, value) for name, value in self.headers.items()]
        body = b"" if unread else self._body()
        self.server.received.append(Received(self.command, self.path, headers, body))
        if unread:
            self.close_connection = True
            self._reply(401)
            self._body()  # like gunicorn, which lets nobody find the connection broken
        elif self.path == "/auth/exchange":
            self._exchange()
        elif "answer=page" in self.path:
            status = int(self.path.rpartition("-")[2])
            self._reply(status, b"<h1>Something is wrong</h1>", {"Content-Type": "text/html"})
        elif "answer=nothing" in self.path:
            self.close_connection = True
        elif "answer=late" in self.path:
            time.sleep(0.5)
            self._reply(200)
        else:
            self._reply(200, self.server.name.encode() * 300)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # http.server looks up a method of this name per HTTP method
            return self.answer
        raise AttributeError(name)

    def _exchange(self) -> None:
        cookies = "; ".join(self.headers.get_all("Cookie", []))
        presented = self.headers["X-Client-Authorization"] or cookies
        if "live" in presented:
            self._reply(200, headers={"Authorization": f"Bearer jwt for {presented}"})
        elif "anonymous" in presented:
            self._reply(200)
        elif "too much" in presented:
            self._reply(431, b"<h1>Too much</h1>", {"Content-Type": "text/html"})
        else:
            status = 403 if "forbidden" in presented else 401
            problem = json.dumps({"status": status, "code": "FROM_IDENTITY"}).encode()
            self._reply(status, problem, {"Content-Type": "application/problem+json"})

    def _reply(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": "text/plain",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "ETag": '"v1"',
            "Set-Cookie": "a=b",
            "X-Answered-By": self.server.name,
            "X-Request-ID": "its-own",
            "Content-Security-Policy": "default-src *",
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _body(self) -> bytes:
        if self.headers["Transfer-Encoding"] == "chunked":
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline() or b"0", 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Gateway:
    """A running gateway and the services behind it."""

    port: int
    metrics_port: int
    log: Path
    services: Mapping[str, Service]
    process: subprocess.Popen[bytes] = field(repr=False)

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send a request whose target goes out exactly as written, without normalisation.

        The body, too, when a Transfer-Encoding is among the headers. A gateway that answers before
        it has read everything is heard.
        """
        pairs = list(headers.items()) if isinstance(headers, Mapping) else (headers or [])
        measured = "Transfer-Encoding" not in dict(pairs)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            if body is not None and measured:
                connection.putheader("Content-Length", str(len(body)))
            for name, value in pairs:
                connection.putheader(name, value)
            connection.endheaders()
            with suppress(ConnectionError):
                connection.send(body or b"")
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def received_by(self, name: str) -> list[Received]:
        return self.services[name].take_received()

    def access_log(self, request_id: str) -> dict[str, Any]:
        """Return the line about a request, waiting a moment for it to be written."""
        for _ in range(100):
            lines = [json.loads(line) for line in self.log.read_text().splitlines()]
            for line in lines:
                if line.get("request_id") == request_id:
                    return dict(line)
            time.sleep(0.02)
        pytest.fail(f"no line about {request_id}")


StartService = Callable[..., Service]
StartGateway = Callable[..., Gateway]


@pytest.fixture(scope="session")
def start_service() -> Iterator[StartService]:
    with ExitStack() as stack:

        def start(name: str, port: int = 0) -> Service:
            service = Service(name, port)
            stack.callback(service.stop)
            return service

        yield start


@pytest.fixture(scope="session")
def services(start_service: StartService) -> dict[str, Service]:
    return {name: start_service(name) for name in SERVICES}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of pages, put together as for production."""
    folder: Path = tmp_path_factory.mktemp("pages") / "site"
    subprocess.run([sys.executable, str(GATEWAY / "assemble.py"), str(folder)], check=True)
    return folder


@pytest.fixture(scope="session")
def start_gateway(
    services: dict[str, Service], site: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartGateway]:
    with ExitStack() as stack:

        def start(**environment: str) -> Gateway:
            directory = tmp_path_factory.mktemp("gateway")
            settings = {"SITE": str(site), **environment}
            return stack.enter_context(_running(services, directory, settings))

        yield start


@pytest.fixture
def gunicorn() -> Iterator[str]:
    """The address of the server that runs our services, with an app that is always content."""
    address = f"127.0.0.1:{free_port()}"
    app = "wsgiref.simple_server:demo_app"
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--no-control-socket", "--bind", address, app],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(scope="session")
def _gateway(start_gateway: StartGateway) -> Gateway:
    return start_gateway()


@pytest.fixture
def gateway(_gateway: Gateway) -> Gateway:
    """The gateway with everything up, nothing received yet."""
    for service in _gateway.services.values():
        service.take_received()
    return _gateway


@pytest.fixture(scope="session")
def halved_gateway(start_gateway: StartGateway) -> Gateway:
    """A gateway at an https address whose identity and booking are down."""
    nobody = f"127.0.0.1:{free_port()}"
    return start_gateway(
        IDENTITY=nobody,
        BOOKING=nobody,
        GATEWAY_TRY_DURATION="150ms",
        PUBLIC_URL="https://comedy.example",
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(
    services: Mapping[str, Service], directory: Path, environment: Mapping[str, str]
) -> Iterator[Gateway]:
    port, metrics_port = free_port(), free_port()
    log = directory / "gateway.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [_caddy(), "run", "--config", str(CADDYFILE)],
            env={
                "PATH": os.environ["PATH"],
                "XDG_DATA_HOME": str(directory),
                "XDG_CONFIG_HOME": str(directory),
                "PORT": str(port),
                "GATEWAY_METRICS_PORT": str(metrics_port),
                **{name.upper(): service.address for name, service in services.items()},
                **environment,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    gateway = Gateway(port, metrics_port, log, services, process)
    try:
        _wait_until_ready(gateway)
        yield gateway
    finally:
        process.terminate()
        process.wait(timeout=10)


def _caddy() -> str:
    beside_python = Path(sys.executable).with_name("caddy")
    found = str(beside_python) if beside_python.exists() else shutil.which("caddy")
    assert found, "caddy is in deploy/dev/requirements.txt"
    return found


def _wait_until_ready(gateway: Gateway) -> None:
    for _ in range(500):
        if gateway.process.poll() is not None:
            raise NotRunning(gateway.log.read_text())
        try:
            if gateway.send("GET", "/healthz").status == 200:
                return
        except ConnectionError:
            time.sleep(0.02)
    raise NotRunning(gateway.log.read_text())
