"""Calls to other services: pooled, within the request's deadline, retried once if that is safe."""

import time
import weakref
from collections import Counter as Counts
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from circuitbreaker import CircuitBreaker
from prometheus_client import Gauge, Histogram

from service_kit import deadline, metrics, request_ids, tracing
from service_kit.http import Answer, HttpClient, NoUsableAnswer
from service_kit.service_tokens import ServiceTokens, TokenUnavailable

__all__ = ["Answer", "Peer", "PeerUnavailable"]

FAILURES_BEFORE_BREAK = 5
BREAK_SECONDS = 5
RETRY_WORTHWHILE_SECONDS = 0.2  # with less time left, a second attempt only adds load

CALLS = Histogram(
    "peer_call_duration_seconds",
    "Time to call another service, a second attempt included, by how the call ended.",
    ["peer", "outcome"],  # answered, refused (4xx) or failed
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
BREAKERS_OPEN = Gauge(
    "peer_breakers_open",
    "Circuit breakers that keep calls from another service, in all processes together.",
    ["peer"],
    multiprocess_mode="livesum",
)


class PeerUnavailable(Exception):
    """Another service gave no usable answer; whether the call had an effect is unknown."""

    peer = "peer"

    @classmethod
    def of(cls, peer: str, reason: str) -> "PeerUnavailable":
        """Return the error for one peer; the message alone is pickled with a durable step."""
        error = cls(f"{peer}: {reason}")
        error.peer = peer
        return error


class _Failed(Exception):
    """The peer had its time and gave no usable answer: this counts for the breaker."""


class Peer:
    """One other service. Thread-safe; one instance per process, peer and purpose."""

    known: ClassVar[weakref.WeakSet["Peer"]] = weakref.WeakSet()

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
        self._client = HttpClient()
        self._breaker = CircuitBreaker(
            FAILURES_BEFORE_BREAK, BREAK_SECONDS, expected_exception=_Failed, name=name
        )
        self.known.add(self)

    @property
    def name(self) -> str:
        """The peer's service name."""
        return self._name

    @property
    def cut_off(self) -> bool:
        """Whether calls fail at once, because earlier ones failed."""
        return bool(self._breaker.opened)

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

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
            PeerUnavailable: no token, no connection, no answer in time, 5xx, a redirect, or an
                unreadable or oversized body; also at once while the breaker is open.
            DeadlineExceeded: the request being served has no time left.
        """
        began, outcome = time.perf_counter(), "failed"
        try:
            sent = {"headers": headers or {}, "json": body, "params": params}
            answer = self._ask(method, path, scope, sent, may_retry=idempotent)
            outcome = "answered" if answer.status < HTTPStatus.BAD_REQUEST else "refused"
        finally:
            CALLS.labels(self._name, outcome).observe(time.perf_counter() - began)
        return answer

    def _ask(
        self, method: str, path: str, scope: str | None, options: dict[str, Any], *, may_retry: bool
    ) -> Answer:
        ends_at = time.monotonic() + deadline.remaining(self._timeout)
        sent = {**options["headers"], **self._authorization(scope, ends_at)}
        if request_id := request_ids.current_request_id():
            sent[request_ids.HEADER] = request_id
        for again in (may_retry, False):
            left = ends_at - time.monotonic()
            if left <= 0:
                raise PeerUnavailable.of(self._name, "no time left to ask")
            if self._breaker.opened:
                raise PeerUnavailable.of(self._name, "not called, it failed repeatedly")
            try:
                with self._breaker:
                    answer = self._send(method, path, {**options, "headers": sent}, left)
            except (_Failed, NoUsableAnswer) as error:
                if again and ends_at - time.monotonic() >= RETRY_WORTHWHILE_SECONDS:
                    continue
                raise PeerUnavailable.of(self._name, str(error)) from error
            if answer.status == HTTPStatus.UNAUTHORIZED and self._tokens and scope:
                self._tokens.forget(self._name, scope)
            return answer
        raise AssertionError("unreachable: the second attempt returns or raises")

    def _send(self, method: str, path: str, options: dict[str, Any], seconds: float) -> Answer:
        said = {"peer.service": self._name, "http.request.method": method}
        with tracing.span(f"{method} {self._name}", tracing.Kind.CLIENT, said) as span:
            options["headers"] = {
                **options["headers"],
                **tracing.headers(),
                deadline.HEADER: str(int(seconds * 1000)),
            }
            answer = self._receive(method, self._base_url + path, options, seconds)
            span.say({"http.response.status_code": answer.status})
            return answer

    def _receive(self, method: str, url: str, options: dict[str, Any], seconds: float) -> Answer:
        try:
            return self._client.send(method, url, seconds=seconds, **options)
        except NoUsableAnswer as error:
            if seconds < RETRY_WORTHWHILE_SECONDS:
                raise  # we had hardly any time: that is not the peer's failure
            raise _Failed(str(error)) from error

    def _authorization(self, scope: str | None, ends_at: float) -> dict[str, str]:
        """Return the header that lets us in; that none is to be had is not the peer's failure."""
        if self._tokens is None or scope is None:
            return {}
        try:
            token = self._tokens.token(
                self._name, scope, within=max(ends_at - time.monotonic(), 0.0)
            )
        except TokenUnavailable as error:
            raise PeerUnavailable.of(self._name, str(error)) from error
        return {"Authorization": f"Bearer {token}"}


@metrics.looked_at
def _look_at_breakers() -> None:
    cut_off = Counts[str]()
    for peer in list(Peer.known):
        cut_off[peer.name] += peer.cut_off
    for name, count in cut_off.items():
        BREAKERS_OPEN.labels(name).set(count)
