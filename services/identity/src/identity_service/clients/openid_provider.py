"""The OpenID provider that people sign in with: Google, or the one for development."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError

from identity_service.domain.errors import InvalidIdentity
from identity_service.domain.sign_in import ProviderIdentity
from service_kit import deadline
from service_kit.tokens import Jwks, KeysUnavailable

SCOPE = "openid email profile"
ID_TOKEN_ALGORITHMS = ["RS256", "ES256"]  # signed by the provider's own key; nothing symmetric
METADATA_SECONDS = 3600.0
RETRY_SECONDS = 2.0
CALL_SECONDS = 5.0
LEEWAY_SECONDS = 60
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderUnavailable(Exception):
    """The provider cannot be reached or does not answer as it should."""


class OpenIdProvider:
    """Asks the provider who somebody is: code flow with PKCE, state and nonce. Thread-safe."""

    def __init__(
        self, issuer: str, *, client_id: str, client_secret: str, redirect_uri: str
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._lock = threading.Lock()
        self._found: tuple[Mapping[str, str], Jwks] | None = None
        self._discover_at = float("-inf")

    def authorization_url(self, *, state: str, nonce: str, code_verifier: str) -> str:
        """Return where to send the browser.

        Raises:
            ProviderUnavailable: it is not known where the provider wants it.
        """
        metadata, _ = self._discovered()
        with self._session() as session:
            url, _ = session.create_authorization_url(
                metadata["authorization_endpoint"],
                state=state,
                nonce=nonce,
                code_verifier=code_verifier,
            )
        return str(url)

    def identity(self, code: str, *, code_verifier: str, nonce: str) -> ProviderIdentity:
        """Redeem the code that the browser brought back and return who the provider says it is.

        Raises:
            ProviderUnavailable: no usable answer.
            InvalidIdentity: the provider refuses the code, or its ID token is not meant for us,
                for this sign-in, or for now.
        """
        metadata, keys = self._discovered()
        try:
            with self._session() as session:
                tokens = session.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=code_verifier,
                    redirect_uri=self._redirect_uri,
                    timeout=deadline.remaining(CALL_SECONDS),
                    allow_redirects=False,
                )
        except OAuthError as error:
            raise InvalidIdentity(f"the provider refuses the code: {error.error}") from error
        except (requests.RequestException, deadline.DeadlineExceeded, ValueError) as error:
            raise ProviderUnavailable(f"token endpoint: {type(error).__name__}") from error
        return _identity(self._validated(tokens, keys, nonce))

    def _session(self) -> OAuth2Session:
        session = OAuth2Session(
            client_id=self._client_id,
            client_secret=self._client_secret,
            scope=SCOPE,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
        )
        session.trust_env = False
        return session

    def _validated(self, tokens: Mapping[str, Any], keys: Jwks, nonce: str) -> Mapping[str, Any]:
        """Return the claims of the ID token once its signature and every check has passed."""
        raw = tokens.get("id_token")
        if not isinstance(raw, str):
            raise InvalidIdentity("the provider sent no ID token")
        try:
            kid = str(jws.extract_compact(raw.encode()).headers().get("kid", ""))
            token = jwt.decode(raw, keys(kid), algorithms=ID_TOKEN_ALGORITHMS)
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                },
                params={
                    "nonce": nonce,
                    "client_id": self._client_id,
                    "access_token": tokens.get("access_token"),
                },
            )
            claims.validate(leeway=LEEWAY_SECONDS)
        except KeysUnavailable as error:
            raise ProviderUnavailable("the provider's keys cannot be fetched") from error
        except (JoseError, ValueError, TypeError) as error:
            raise InvalidIdentity(f"ID token: {error}") from error
        return dict(token.claims)

    def _discovered(self) -> tuple[Mapping[str, str], Jwks]:
        """Return the provider's addresses and keys; old ones do while it cannot be reached.

        Of those who wait for a provider that is down only the first one waits for its timeout.
        """
        with self._lock:
            now = time.monotonic()
            if now >= self._discover_at:
                self._discover_at = now + METADATA_SECONDS
                try:
                    self._found = self._discover()
                except ProviderUnavailable:
                    self._discover_at = time.monotonic() + RETRY_SECONDS
                    if self._found is None:
                        raise
            if self._found is None:
                raise ProviderUnavailable("discovery failed a moment ago")
            return self._found

    def _discover(self) -> tuple[Mapping[str, str], Jwks]:
        """Ask the provider for its addresses; keys that are known stay if their address does."""
        metadata = self._fetch_metadata()
        if self._found is not None and self._found[0]["jwks_uri"] == metadata["jwks_uri"]:
            return metadata, self._found[1]
        return metadata, Jwks(metadata["jwks_uri"])

    def _fetch_metadata(self) -> Mapping[str, str]:
        url = f"{self._issuer}/.well-known/openid-configuration"
        try:
            with requests.Session() as session:
                session.trust_env = False
                response = session.get(
                    url, timeout=deadline.remaining(CALL_SECONDS), allow_redirects=False
                )
                response.raise_for_status()
                metadata = response.json()
        except (requests.RequestException, deadline.DeadlineExceeded, ValueError) as error:
            raise ProviderUnavailable(f"discovery: {type(error).__name__}") from error
        if not isinstance(metadata, dict) or metadata.get("issuer") != self._issuer:
            raise ProviderUnavailable("discovery: another issuer answers")
        if not all(isinstance(metadata.get(name), str) for name in _ENDPOINTS):
            raise ProviderUnavailable("discovery: endpoints are missing")
        return {name: metadata[name] for name in _ENDPOINTS}


def _identity(claims: Mapping[str, Any]) -> ProviderIdentity:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or _text(subject) != subject:
        raise InvalidIdentity("ID token: no usable subject")
    return ProviderIdentity(
        subject=subject,
        email=_text(claims.get("email")) or "",
        email_verified=claims.get("email_verified") is True,
        name=_text(claims.get("name")),
        image=_text(claims.get("picture")),
    )


def _text(value: object) -> str | None:
    """Return a non-empty text without what Postgres and log lines cannot hold."""
    if not isinstance(value, str):
        return None
    return "".join(filter(str.isprintable, value)).strip() or None
