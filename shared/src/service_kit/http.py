"""Sending one HTTP request whose answer is bounded: in time, in size, in what it may be."""

import json as jsonlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

if TYPE_CHECKING:
    from urllib3._base_connection import BaseHTTPConnection

CONNECT_SECONDS = 1.0
MAX_IDLE_SECONDS = 2.0  # shorter than a server that stops lets connections be
MAX_BODY_BYTES = 8 * 1024 * 1024
POOL_CONNECTIONS = 32


class NoUsableAnswer(Exception):
    """No connection, no answer in time, 5xx, a redirect, or a body that is too large or no JSON."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: a success, a redirect-free 304, or a refusal (4xx)."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether what was asked has been done."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES


class _Pool(HTTPConnectionPool):
    """Does not use a connection that idled: its server may be closing it at this very moment."""

    def _get_conn(self, timeout: float | None = None) -> "BaseHTTPConnection":
        connection = super()._get_conn(timeout)
        if time.monotonic() - getattr(connection, "idle_since", math.inf) > MAX_IDLE_SECONDS:
            connection.close()  # it opens itself anew
        return connection

    def _put_conn(self, conn: "BaseHTTPConnection | None") -> None:
        if conn is not None:
            conn.idle_since = time.monotonic()  # type: ignore[attr-defined]
        super()._put_conn(conn)


class _TlsPool(_Pool, HTTPSConnectionPool):
    pass


class HttpClient:
    """A pool of connections. Thread-safe; proxies that the environment names are ignored."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = HTTPAdapter(pool_maxsize=POOL_CONNECTIONS, pool_block=True, max_retries=0)
        adapter.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def send(self, method: str, url: str, *, seconds: float, **options: Any) -> Answer:
        """Send a request once and return the answer with its JSON body.

        Args:
            method: the method.
            url: the whole URL.
            seconds: after which the answer is given up, however much of it has come.
            options: as for `requests`: json, data, params, headers, auth.

        Raises:
            NoUsableAnswer: says in a few words why.
        """
        ends_at = time.monotonic() + seconds
        try:
            with self._session.request(
                method,
                url,
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
                allow_redirects=False,
                stream=True,
                **options,
            ) as response:
                raw = _read(response, ends_at)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise NoUsableAnswer(type(error).__name__) from error
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NoUsableAnswer(f"answered {response.status_code}")
        if response.is_redirect:
            raise NoUsableAnswer("answered with a redirect")
        return Answer(response.status_code, _parse(raw), response.headers)


def _read(response: requests.Response, ends_at: float) -> bytes:
    """Read the body piece by piece, so that a trickle cannot outlast the time allowed."""
    raw = bytearray()
    while chunk := response.raw.read1(64 * 1024, decode_content=True):
        raw += chunk
        if len(raw) > MAX_BODY_BYTES:
            raise NoUsableAnswer("answered with too large a body")
        if time.monotonic() > ends_at:
            raise NoUsableAnswer("answered too slowly")
    return bytes(raw)


def _parse(raw: bytes) -> Any:
    try:
        return jsonlib.loads(raw) if raw else None
    except (ValueError, RecursionError) as error:
        raise NoUsableAnswer("answered with something unreadable") from error
