"""Verification of the short-lived JWTs that identify a person or a calling service."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import requests
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHM = "ES256"
USER_TYPE = "user+jwt"
SERVICE_TYPE = "service+jwt"
USER_AUDIENCE = "comedy-connect"
LEEWAY_SECONDS = 15
MAX_TOKEN_LENGTH = 4096
CACHE_ENTRIES = 4096

JWKS_SECONDS = 300.0
JWKS_RETRY_SECONDS = 2.0
JWKS_FETCH_SECONDS = 2.0


class InvalidToken(Exception):
    """The token proves nothing: wrong signature, key, type, issuer, audience or time."""


class KeysUnavailable(OSError):
    """The verification keys cannot be fetched, so nobody can be identified at the moment."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The person a request acts for, as the issuer of the token vouches."""

    id: UUID
    role: str
    approved: bool
    session_id: str
    auth_time: int
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallingService:
    """The service a request comes from and what it may do here."""

    name: str
    scopes: frozenset[str]


class Jwks:
    """The issuer's public keys, fetched when needed; a stale set outlives a failed fetch."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._tried_at = 0.0

    def __call__(self, kid: str) -> KeySet:
        """Return the keys, fetched anew if they are old or lack `kid`.

        Raises:
            KeysUnavailable: there are no keys yet and none can be fetched.
        """
        with self._lock:
            now = time.monotonic()
            stale = self._keys is None or now - self._fetched_at > JWKS_SECONDS
            unknown = self._keys is None or kid not in {key.kid for key in self._keys.keys}
            if (stale or unknown) and (
                self._tried_at == 0.0 or now - self._tried_at > JWKS_RETRY_SECONDS
            ):
                self._tried_at = now
                self._fetch()
            if self._keys is None:
                raise KeysUnavailable("no verification keys yet")
            return self._keys

    def _fetch(self) -> None:
        try:
            response = self._session.get(
                self._url, timeout=JWKS_FETCH_SECONDS, allow_redirects=False
            )
            response.raise_for_status()
            self._keys = KeySet.import_key_set(response.json())
        except (requests.RequestException, ValueError, JoseError) as error:
            if self._keys is None:
                raise KeysUnavailable(f"verification keys: {type(error).__name__}") from error
        else:
            self._fetched_at = time.monotonic()


class TokenVerifier:
    """Verifies tokens locally and remembers the good ones until they expire."""

    def __init__(self, keys: Callable[[str], KeySet], *, issuer: str, service: str) -> None:
        """Build a verifier.

        Args:
            keys: returns the issuer's key set, given the key id a token names.
            issuer: the only accepted `iss`.
            service: this service's name, the only accepted `aud` of service tokens.
        """
        self._keys = keys
        self._issuer = issuer
        self._service = service
        self._seen: dict[str, tuple[float, Caller | CallingService]] = {}

    def verify(self, token: str) -> Caller | CallingService:
        """Return whom the token stands for.

        Raises:
            InvalidToken: it proves nothing.
            KeysUnavailable: it cannot be judged at the moment.
        """
        known = self._seen.get(token)
        if known and time.time() < known[0]:
            return known[1]
        header, claims = self._decode(token)
        caller = self._caller(str(header.get("typ")), claims)
        if len(self._seen) >= CACHE_ENTRIES:
            self._seen.clear()
        self._seen[token] = (float(claims["exp"]) + LEEWAY_SECONDS, caller)
        return caller

    def _decode(self, token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        if len(token) > MAX_TOKEN_LENGTH:
            raise InvalidToken("oversized")
        try:
            kid = jws.extract_compact(token.encode()).headers().get("kid")
            if not isinstance(kid, str):
                raise InvalidToken("no key id")
            decoded = jwt.decode(token, self._keys(kid), algorithms=[ALGORITHM])
        except (JoseError, ValueError) as error:
            raise InvalidToken(type(error).__name__) from error
        return decoded.header, decoded.claims

    def _caller(self, typ: str, claims: Mapping[str, Any]) -> Caller | CallingService:
        audience = {USER_TYPE: USER_AUDIENCE, SERVICE_TYPE: self._service}.get(typ)
        if audience is None:
            raise InvalidToken("unknown type")
        required = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            required.validate(dict(claims))
            if typ == SERVICE_TYPE:
                return CallingService(str(claims["sub"]), frozenset(str(claims["scope"]).split()))
            return Caller(
                id=UUID(claims["sub"]),
                role=str(claims["role"]),
                approved=claims["approved"] is True,
                session_id=str(claims["sid"]),
                auth_time=int(claims["auth_time"]),
                amr=tuple(claims["amr"]),
            )
        except (JoseError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidToken(type(error).__name__) from error
