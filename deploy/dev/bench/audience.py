"""The buyers: people who signed in at the development provider, and their short-lived tokens."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

from bench.stage import Stage
from devstack.ports import LOOPBACK
from devstack.visitor import Visitor

SIZE = 50
_AT_ONCE = 4
_FRESH_SECONDS = 10.0  # of the 45 that a token lives: the rest is for the slice that uses it


class Person:
    """Somebody of the development provider, signed in; an admin with the second factor."""

    def __init__(self, stage: Stage, email: str, *, password: str | None = None) -> None:
        self._identity_port = stage.port("identity")
        visitor = Visitor(stage.stack.url)
        visitor.sign_in(email)
        if password is not None:
            visitor.give_second_factor(password)
        self._cookie = _cookie_of(visitor)
        visitor.close()

    def tokens(self) -> list[bytes]:
        """Return the header that says who this is to a service."""
        return _exchanged(self._identity_port, [self._cookie])


class Audience:
    """Signed-in people; each request is one person's, in turn."""

    def __init__(self, stage: Stage) -> None:
        self._identity_port = stage.port("identity")
        self._origin = stage.stack.url
        with ThreadPoolExecutor(_AT_ONCE) as doors:
            self.cookies = list(doors.map(self._sign_in, range(SIZE)))
        self._tokens: list[bytes] = []
        self._fetched_at = -_FRESH_SECONDS

    def tokens(self) -> list[bytes]:
        """Return the header that says who somebody is to a service, for each person."""
        if time.monotonic() - self._fetched_at > _FRESH_SECONDS:
            self._fetched_at = time.monotonic()
            self._tokens = _exchanged(self._identity_port, self.cookies)
        return self._tokens

    def browsers(self) -> list[bytes]:
        """Return the headers that a browser sends to the gateway, for each person."""
        return [
            f"Cookie: {cookie}\r\nOrigin: {self._origin}\r\n".encode() for cookie in self.cookies
        ]

    def _sign_in(self, number: int) -> str:
        visitor = Visitor(self._origin)
        visitor.sign_in(f"buyer{number:03}@bench.example")
        cookies = _cookie_of(visitor)
        visitor.close()
        return cookies


def _cookie_of(visitor: Visitor) -> str:
    return visitor.get("/api/auth/session").request.headers["Cookie"]


def _exchanged(identity_port: int, cookies: Sequence[str]) -> list[bytes]:
    connection = HTTPConnection(LOOPBACK, identity_port, timeout=15)
    tokens = [_exchange(connection, cookie) for cookie in cookies]
    connection.close()
    return tokens


def _exchange(connection: HTTPConnection, cookie: str) -> bytes:
    connection.request("GET", "/auth/exchange", headers=exchange_headers(cookie))
    response = connection.getresponse()
    response.read()
    return f"Authorization: {response.headers['Authorization']}\r\n".encode()


def exchange_headers(cookie: str) -> dict[str, str]:
    """Return what the gateway says of a request when it asks for a token."""
    return {
        "Cookie": cookie,
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Uri": "/api/v1/bookings",
    }
