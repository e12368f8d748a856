"""The requests, as bytes that are ready to be sent."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import uuid4

TICKETS_PER_PERSON = 10  # of one show; booking's limit

Credentials = Callable[[], Sequence[bytes]]
OpenSales = Callable[[int], Sequence[str]]


class Exhausted(Exception):
    """The system was faster than the requests prepared for the slice allow."""


class Repeated:
    """The same requests again and again."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._cycle = itertools.cycle(requests)

    def prepare(self, _count: int) -> None:
        """Nothing is needed."""

    def __next__(self) -> bytes:
        return next(self._cycle)


class Page:
    """One page, read again and again by one person."""

    def __init__(self, host: str, path: str, credentials: Credentials) -> None:
        self._host = host
        self._path = path
        self._credentials = credentials

    def prepare(self, _count: int) -> None:
        """Renew the credentials."""
        (headers,) = self._credentials()
        self._request = get(self._host, self._path)[:-2] + headers + b"\r\n"

    def __next__(self) -> bytes:
        return self._request


class Orders:
    """Bookings of one ticket each, none of which has to be refused.

    Buyers take turns; when all of them have as many tickets as one person may have, the next shows
    take the place of those that are sold out.
    """

    def __init__(
        self,
        host: str,
        credentials: Credentials,
        open_sales: OpenSales,
        *,
        buyers: int,
        shows_at_once: int,
    ) -> None:
        """Prepare to book.

        Args:
            host: to whom the requests go.
            credentials: headers of each buyer, fresh at every call.
            open_sales: puts so many shows on sale, each with a ticket for everybody's limit.
            buyers: how many there are.
            shows_at_once: over how many shows consecutive bookings are spread.
        """
        self._host = host
        self._credentials = credentials
        self._open_sales = open_sales
        self._buyers = buyers
        self._shows_at_once = shows_at_once
        self._shows: list[str] = []
        self._made = 0
        self._run = uuid4().hex[:8]

    @property
    def _left(self) -> int:
        return len(self._shows) * self._buyers * TICKETS_PER_PERSON - self._made

    def prepare(self, count: int) -> None:
        """Make sure that this many bookings are possible, with credentials that are fresh."""
        while self._left < count:
            self._shows += self._open_sales(self._shows_at_once)
        self._headers = self._credentials()

    def __next__(self) -> bytes:
        if self._left <= 0:
            raise Exhausted(f"more than {self._made} bookings")
        number, self._made = self._made, self._made + 1
        bunch, within = divmod(number, self._shows_at_once * self._buyers * TICKETS_PER_PERSON)
        turn, show = divmod(within, self._shows_at_once)
        return post_booking(
            self._host,
            self._shows[bunch * self._shows_at_once + show],
            self._headers[turn % self._buyers],
            key=f"{self._run}-{number}",
        )


class Latecomers:
    """Bookings of a show that has no tickets left."""

    def __init__(self, host: str, credentials: Credentials, show_id: str) -> None:
        self._host = host
        self._credentials = credentials
        self._show_id = show_id
        self._run = uuid4().hex[:8]
        self._numbers: Iterator[int] = itertools.count()

    def prepare(self, _count: int) -> None:
        """Renew the credentials."""
        self._headers = self._credentials()

    def __next__(self) -> bytes:
        number = next(self._numbers)
        headers = self._headers[number % len(self._headers)]
        return post_booking(self._host, self._show_id, headers, key=f"{self._run}-{number}")


def post_booking(host: str, show_id: str, headers: bytes, *, key: str) -> bytes:
    """Return a request for one ticket."""
    body = f'{{"showId":"{show_id}","quantity":1}}'
    head = (
        f"POST /api/v1/bookings HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nIdempotency-Key: {key}\r\n"
    )
    return head.encode() + headers + b"\r\n" + body.encode()


def get(host: str, path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a request that reads."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n".encode()
