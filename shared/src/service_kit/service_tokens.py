"""Tokens for calls to other services: OAuth 2 client credentials, one audience each, cached."""

import threading
import time
from dataclasses import dataclass, field

from service_kit import tracing
from service_kit.http import HttpClient, NoUsableAnswer

TOKEN_SECONDS = 2.0
AFTER_FAILURE_SECONDS = 2.0
LAST_SECONDS = 10.0  # of a token's life in which it is not used any more


class TokenUnavailable(OSError):
    """The token endpoint gave no token; a caller treats it like a peer that cannot be reached."""


@dataclass(slots=True)
class _Kept:
    """A token for one audience and scope, and who may fetch the next one."""

    token: str = ""
    renew_at: float = 0.0
    ends_at: float = 0.0
    failed_until: float = 0.0
    fetching: threading.Lock = field(default_factory=threading.Lock)


class ServiceTokens:
    """Fetches and keeps this service's tokens. Thread-safe.

    A token is renewed by one caller at half of its life; until it ends the others go on with it, so
    that an authorization server that is away for minutes is not noticed.
    """

    def __init__(self, token_url: str, *, client_id: str, client_secret: str) -> None:
        self._token_url = token_url
        self._credentials = (client_id, client_secret)
        self._client = HttpClient()
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], _Kept] = {}

    def token(self, audience: str, scope: str, *, within: float = TOKEN_SECONDS) -> str:
        """Return a token for one service and scope, waiting at most `within` seconds for one.

        Raises:
            TokenUnavailable: the authorization server cannot be reached or refuses this client; for
                a moment afterwards it is not even asked.
        """
        kept = self._of(audience, scope)
        ends_at = time.monotonic() + min(within, TOKEN_SECONDS)
        if time.monotonic() < kept.renew_at:
            return kept.token
        usable = time.monotonic() < kept.ends_at
        if not kept.fetching.acquire(timeout=0 if usable else max(ends_at - time.monotonic(), 0)):
            return self._still_usable(kept, "others wait for it already")
        try:
            if time.monotonic() >= kept.renew_at:
                self._renew(kept, audience, scope, ends_at)
        finally:
            kept.fetching.release()
        return self._still_usable(kept, "refused or not reached")

    def forget(self, audience: str, scope: str) -> None:
        """Drop a token that its audience refuses."""
        kept = self._of(audience, scope)
        kept.renew_at = kept.ends_at = 0.0

    def _of(self, audience: str, scope: str) -> _Kept:
        with self._lock:
            return self._kept.setdefault((audience, scope), _Kept())

    def _still_usable(self, kept: _Kept, otherwise: str) -> str:
        if time.monotonic() < kept.ends_at:
            return kept.token
        raise TokenUnavailable(f"token endpoint: {otherwise}")

    def _renew(self, kept: _Kept, audience: str, scope: str, ends_at: float) -> None:
        """Fetch the next token; a failure is remembered, the old token stays."""
        now = time.monotonic()
        if now < kept.failed_until or now >= ends_at:
            return
        try:
            token, lifetime = self._fetch(audience, scope, ends_at - now)
        except NoUsableAnswer:
            kept.failed_until = time.monotonic() + AFTER_FAILURE_SECONDS
            return
        kept.token = token
        kept.renew_at = time.monotonic() + lifetime / 2
        kept.ends_at = time.monotonic() + lifetime - LAST_SECONDS

    def _fetch(self, audience: str, scope: str, seconds: float) -> tuple[str, float]:
        form = {"grant_type": "client_credentials", "audience": audience, "scope": scope}
        with tracing.span("fetch token", tracing.Kind.CLIENT):
            answer = self._client.send(
                "POST",
                self._token_url,
                seconds=seconds,
                data=form,
                auth=self._credentials,
                headers=tracing.headers(),
            )
        try:
            if answer.ok:
                return str(answer.body["access_token"]), float(answer.body["expires_in"])
        except (KeyError, TypeError, ValueError) as error:
            raise NoUsableAnswer("answered with something else than a token") from error
        raise NoUsableAnswer(f"answered {answer.status}")
