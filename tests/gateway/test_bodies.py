"""A body is what it is: never a request of its own, and nothing that a service waits for."""

import re
import socket
import time
from contextlib import suppress

import pytest
from tests.gateway.conftest import Gateway

# A gateway that takes a body for requests finds one every 64 bytes, wherever it begins to read.
HIDDEN = b"GET /healthz?%s HTTP/1.1\r\nHost: localhost\r\n\r\n\n"
UNIT = HIDDEN % (b"a" * (64 - len(HIDDEN % b"")))


def statuses(gateway: Gateway, head: str, body: bytes) -> list[int]:
    """Return how everything was answered that was taken for a request on one connection."""
    answers = b""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=0.5) as connection:
        with suppress(OSError):  # it need not read all of it
            connection.sendall(head.replace("\n", "\r\n").encode() + body)
        with suppress(OSError):
            while chunk := connection.recv(65536):
                answers += chunk
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", answers)]


@pytest.mark.parametrize("size", [950_000, 5_900_000, 9_000_000])
@pytest.mark.parametrize(
    ("method", "target", "cookie"),
    [
        ("POST", "/api/v1/bookings?answer=unread", ""),
        ("GET", "/api/v1/bookings?answer=unread", ""),
        ("POST", "/api/auth/_log?answer=unread", ""),
        ("POST", "/api/v1/upload?answer=unread", ""),
        ("POST", "/api/v1/upload", "next-auth.session-token=ended"),
        ("POST", "/api/v1/bookings?answer=nothing", ""),
        ("POST", "/nobody", ""),
        ("POST", "/healthz", ""),
    ],
)
def test_no_part_of_a_body_is_taken_for_a_request(
    gateway: Gateway, method: str, target: str, cookie: str, size: int
) -> None:
    """Refused or not, by whomever: what follows on the connection would be somebody else's."""
    body = UNIT * (size // len(UNIT))
    head = f"{method} {target} HTTP/1.1\nHost: localhost\nCookie: {cookie}\n"
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    assert len(statuses(gateway, f"{head}Content-Length: {len(body)}\n\n", body)) <= 1
    assert len(statuses(gateway, f"{head}Transfer-Encoding: chunked\n\n", chunked)) <= 1


@pytest.mark.parametrize(
    ("path", "service"), [("/api/v1/bookings", "booking"), ("/api/v1/upload", "catalog")]
)
def test_a_service_hears_of_a_request_when_all_of_its_body_is_there(
    gateway: Gateway, path: str, service: str
) -> None:
    """However slowly it comes: nobody keeps a service's threads by sending a byte now and then."""
    head = (
        f"POST {path}?answer=unread HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(head.encode() + b"x" * 99_999)
        time.sleep(0.5)
        assert gateway.received_by(service) == []

        connection.sendall(b"x")

        assert connection.recv(65536).startswith(b"HTTP/1.1 401")
    assert len(gateway.received_by(service)) == 1
