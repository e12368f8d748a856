"""Calls to other services: pooled, within the request's deadline, retried once if that is safe."""

import json as jsonlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pybreaker
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from service_kit import deadline, request_ids
from service_kit.service_tokens import ServiceTokens, TokenUnavailable

CONNECT_SECONDS = 1.0
MAX_BODY_BYTES = 8 * 1024 * 1024
POOL_CONNECTIONS = 32
FAILURES_BEFORE_BREAK = 5
BREAK_SECONDS = 5.0
RETRY_WORTHWHILE_SECONDS = 0.2  # with less time left, a second attempt only adds load


class PeerUnavailable(Exception):
    """Another service gave no usable answer; whether the call had an effect is unknown."""

    peer = "peer"

    @classmethod
    def of(cls, peer: str, reason: str) -> "PeerUnavailable":
        """Return the error for one peer; the message alone is pickled with a durable step."""
        error = cls(f"{peer}: {reason}")
        error.peer = peer
        return error


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer answered: a success, a redirect-free 304, or a refusal (4xx)."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the peer did what was asked."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES


class Peer:
    """One other service. Thread-safe; one instance per process and peer."""

    def __init__(
        self, name: str, base_url: str, tokens: ServiceTokens | None, *, timeout: float = 3.0
    ) -> None:
        """Prepare the connection pool; nothing is sent before the first call.

        Args:
            name: the peer's service name, which is the audience of the tokens for it.
            base_url: where it listens, without a trailing slash.
            tokens: where tokens for it come from; None for calls that need none.
            timeout: seconds a call may take if the request's deadline leaves more.
        """
        self._name = name
        self._base_url = base_url
        self._tokens = tokens
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(
                scheme, HTTPAdapter(pool_maxsize=POOL_CONNECTIONS, pool_block=True, max_retries=0)
            )
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=FAILURES_BEFORE_BREAK, reset_timeout=BREAK_SECONDS, name=name
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def get(
        self,
        path: str,
        *,
        scope: str | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Read from the peer; tried twice if need be."""
        return self.call("GET", path, scope=scope, params=params, headers=headers, idempotent=True)

    def call(
        self,
        method: str,
        path: str,
        *,
        scope: str | None = None,
        body: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool,
    ) -> Answer:
        """Send one request and return the answer, refusals (4xx) included.

        Raises:
            PeerUnavailable: no connection, no answer in time, 5xx, a redirect, or an unreadable or
                oversized body; also at once while the breaker is open.
            DeadlineExceeded: the request being served has no time left.
        """
        ends_at = time.monotonic() + deadline.remaining(self._timeout)
        sent = {**(headers or {}), **self._authorization(scope)}
        for may_retry in (idempotent, False):
            try:
                answer: Answer = self._breaker.call(
                    self._send, method, path, sent, body, params, ends_at
                )
                return answer
            except pybreaker.CircuitBreakerError as error:
                raise PeerUnavailable.of(self._name, "not called, it failed repeatedly") from error
            except PeerUnavailable:
                if not may_retry or ends_at - time.monotonic() < RETRY_WORTHWHILE_SECONDS:
                    raise
        raise AssertionError("unreachable: the second attempt returns or raises")

    def _authorization(self, scope: str | None) -> dict[str, str]:
        """Return the header that lets us in; that none is to be had is not the peer's failure."""
        if self._tokens is None or scope is None:
            return {}
        try:
            return {"Authorization": f"Bearer {self._tokens.token(self._name, scope)}"}
        except TokenUnavailable as error:
            raise PeerUnavailable.of(self._name, str(error)) from error

    def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        params: Mapping[str, Any] | None,
        ends_at: float,
    ) -> Answer:
        left = max(ends_at - time.monotonic(), 0.001)
        sent = {**headers, deadline.HEADER: str(int(left * 1000))}
        if request_id := request_ids.current_request_id():
            sent[request_ids.HEADER] = request_id
        try:
            with self._session.request(
                method,
                self._base_url + path,
                json=body,
                params=params,
                headers=sent,
                timeout=(min(CONNECT_SECONDS, left), left),
                allow_redirects=False,
                stream=True,
            ) as response:
                raw = self._read(response, ends_at)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise PeerUnavailable.of(self._name, type(error).__name__) from error
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise PeerUnavailable.of(self._name, f"answered {response.status_code}")
        if response.is_redirect:
            raise PeerUnavailable.of(self._name, "answered with a redirect")
        return Answer(response.status_code, self._parse(raw), response.headers)

    def _read(self, response: requests.Response, ends_at: float) -> bytes:
        """Read the body piece by piece, so that a trickle cannot outlast the deadline."""
        raw = bytearray()
        while chunk := response.raw.read1(64 * 1024, decode_content=True):
            raw += chunk
            if len(raw) > MAX_BODY_BYTES:
                raise PeerUnavailable.of(self._name, "answered with too large a body")
            if time.monotonic() > ends_at:
                raise PeerUnavailable.of(self._name, "answered too slowly")
        return bytes(raw)

    def _parse(self, raw: bytes) -> Any:
        try:
            return jsonlib.loads(raw) if raw else None
        except ValueError as error:
            raise PeerUnavailable.of(self._name, "answered with something unreadable") from error
