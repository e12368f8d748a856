"""Tokens for calls to other services: OAuth 2 client credentials, one audience each, cached."""

import threading
import time
from typing import Any

import requests

from service_kit import deadline

REFRESH_BEFORE_EXPIRY_SECONDS = 60
TOKEN_SECONDS = 3.0


class TokenUnavailable(OSError):
    """The token endpoint gave no token; a caller treats it like a peer that cannot be reached."""


class ServiceTokens:
    """Fetches and keeps this service's tokens. Thread-safe."""

    def __init__(self, token_url: str, *, client_id: str, client_secret: str) -> None:
        self._token_url = token_url
        self._credentials = (client_id, client_secret)
        self._session = requests.Session()
        self._session.trust_env = False
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[str, float]] = {}

    def token(self, audience: str, scope: str) -> str:
        """Return a token for one service and scope with at least a minute to live.

        Raises:
            TokenUnavailable: the authorization server cannot be reached or refuses this client.
            DeadlineExceeded: the request being served has no time left.
        """
        with self._lock:
            token, refresh_at = self._kept.get((audience, scope), ("", 0.0))
            if time.monotonic() < refresh_at:
                return token
            granted = self._fetch(audience, scope)
            token = str(granted["access_token"])
            lifetime = float(granted["expires_in"])
            refresh_at = time.monotonic() + max(lifetime - REFRESH_BEFORE_EXPIRY_SECONDS, 0)
            self._kept[audience, scope] = (token, refresh_at)
            return token

    def _fetch(self, audience: str, scope: str) -> dict[str, Any]:
        left = deadline.remaining(TOKEN_SECONDS)
        form = {"grant_type": "client_credentials", "audience": audience, "scope": scope}
        try:
            response = self._session.post(
                self._token_url,
                data=form,
                auth=self._credentials,
                timeout=(min(1.0, left), left),
                allow_redirects=False,
            )
            granted = response.json()
        except (requests.RequestException, ValueError) as error:
            raise TokenUnavailable(f"token endpoint: {type(error).__name__}") from error
        if response.status_code != requests.codes.ok or "access_token" not in granted:
            raise TokenUnavailable(f"token endpoint answered {response.status_code}")
        return dict(granted)
