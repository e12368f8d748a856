"""The load: keep-alive connections, each sending its next request when it has its answer.

One thread and one selector, because the generator shares the machine with what it measures: no
HTTP library, no objects per request but one tuple. Answers need a Content-Length.
"""

import re
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from devstack.ports import LOOPBACK

_ANSWER_SECONDS = 10.0
_CHUNK = 1 << 18
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_NO_BODY = (b"204", b"304")
_STATUS = slice(9, 12)  # of "HTTP/1.1 200 OK"


class Requests(Protocol):
    """Where the load takes its requests from."""

    def prepare(self, count: int) -> None:
        """Get ready for this many requests, which are about to be taken."""

    def __next__(self) -> bytes: ...


class Answer(NamedTuple):
    """One request's fate; times are those of `time.perf_counter`."""

    sent_at: float
    done_at: float
    failure: str  # empty: it was answered as wanted


@dataclass(frozen=True, slots=True)
class Wanted:
    """How an answer must look to count."""

    status: bytes
    holding: bytes = b""  # somewhere in its head or body


class _Connection:
    __slots__ = ("buffer", "length", "sent_at", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((LOOPBACK, port), timeout=_ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.buffer = b""
        self.length = 0
        self.sent_at = 0.0


class Load:
    """`connections` clients of one port; `answers` is what came of their requests so far."""

    def __init__(self, port: int, requests: Requests, wanted: Wanted, *, connections: int) -> None:
        self.answers: list[Answer] = []
        self._port = port
        self._requests = requests
        self._wanted = wanted
        self._selector = selectors.DefaultSelector()
        self._waiting = 0
        self._sending = True
        for _ in range(connections):
            self._connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for connection in self._connections():
            connection.socket.close()
        self._selector.close()

    def keep_up(self, seconds: float) -> tuple[float, float]:
        """Send and receive for some time; return when this began and ended."""
        began = time.perf_counter()
        return began, self._exchange_until(began + seconds)

    def finish(self) -> None:
        """Wait for the answers to what has been sent; those that do not come are failures."""
        self._sending = False
        self._exchange_until(time.perf_counter() + _ANSWER_SECONDS)
        for connection in self._connections():
            if connection.sent_at:
                self._note(connection, "no answer")

    def _exchange_until(self, moment: float) -> float:
        while (now := time.perf_counter()) < moment and self._waiting:
            for key, _ in self._selector.select(moment - now):
                self._receive(key.data)
        return now

    def _connections(self) -> Iterator[_Connection]:
        return (key.data for key in list(self._selector.get_map().values()))

    def _connect(self) -> None:
        connection = _Connection(self._port)
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._send(connection)

    def _send(self, connection: _Connection) -> None:
        request = next(self._requests)
        connection.sent_at = time.perf_counter()
        self._waiting += 1
        with suppress(ConnectionError):  # noticed when it is read
            connection.socket.send(request)  # small: it always fits into the empty buffer

    def _receive(self, connection: _Connection) -> None:
        try:
            chunk = connection.socket.recv(_CHUNK)
        except ConnectionError:
            chunk = b""
        if not chunk:
            self._replace(connection)
            return
        connection.buffer += chunk
        connection.length = connection.length or _length(connection.buffer)
        if not connection.length or len(connection.buffer) < connection.length:
            return
        self._note(connection, _failure(connection.buffer, self._wanted))
        connection.buffer, connection.length = b"", 0
        if self._sending:
            self._send(connection)

    def _replace(self, connection: _Connection) -> None:
        """Go on with a new connection in place of one that the server has closed."""
        if connection.sent_at:
            self._note(connection, "closed")
        self._selector.unregister(connection.socket)
        connection.socket.close()
        if self._sending:
            self._connect()

    def _note(self, connection: _Connection, failure: str) -> None:
        self.answers.append(Answer(connection.sent_at, time.perf_counter(), failure))
        connection.sent_at = 0.0
        self._waiting -= 1


def _length(data: bytes) -> int:
    """Return how long the whole answer is, 0 while that is not known."""
    end = data.find(b"\r\n\r\n") + 4
    if end < 4:
        return 0
    if data[_STATUS] in _NO_BODY:
        return end
    found = _LENGTH.search(data, 0, end)
    if found is None:
        raise ValueError(f"an answer without Content-Length: {data[:end]!r}")
    return end + int(found[1])


def _failure(answer: bytes, wanted: Wanted) -> str:
    if answer[_STATUS] == wanted.status and wanted.holding in answer:
        return ""
    code = re.search(rb'"code": ?"(\w+)"', answer)
    return b" ".join([answer[_STATUS], *([code[1]] if code else [])]).decode()
