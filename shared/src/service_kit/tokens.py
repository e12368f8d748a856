"""Verification of the short-lived JWTs that identify a person or a calling service."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import structlog
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from service_kit.http import HttpClient, NoUsableAnswer

log = structlog.get_logger(__name__)

ALGORITHM = "ES256"
USER_TYPE = "user+jwt"
SERVICE_TYPE = "service+jwt"
SUSPENDED_TYPE = "suspended+jwt"
USER_AUDIENCE = "comedy-connect"
SECOND_FACTOR = "mfa"  # in `amr`: given in this session, and not too long ago
LEEWAY_SECONDS = 15
MAX_TOKEN_LENGTH = 4096
CACHE_ENTRIES = 4096

NOT_KEYS = (AttributeError, KeyError, TypeError, ValueError)  # what no key set leads to
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


@dataclass(frozen=True, slots=True)
class SuspendedCaller:
    """A person whose sign-ins do not count: she is known, and signed in nowhere.

    Only a rule that names this class admits her.
    """

    id: UUID


AnyCaller: TypeAlias = Caller | SuspendedCaller | CallingService


class Jwks:
    """The issuer's public keys, kept. Old ones go on while they are renewed beside the requests.

    Only a key id that is not known yet makes a request wait, and those wait together.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = HttpClient()
        self._fetching = threading.Lock()
        self._keys: KeySet | None = None
        self._kids: frozenset[str | None] = frozenset()
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")

    def __call__(self, kid: str) -> KeySet:
        """Return the keys, with `kid` among them if the issuer has it.

        Raises:
            KeysUnavailable: there are no keys yet and none can be fetched.
        """
        if self._keys is not None and kid in self._kids:
            if time.monotonic() - self._fetched_at > JWKS_SECONDS and self._may_try():
                threading.Thread(target=self._renew, name="jwks", daemon=True).start()
            return self._keys
        if self._fetching.acquire(timeout=JWKS_FETCH_SECONDS):
            try:
                if kid not in self._kids and self._may_try():
                    self._fetch()
            finally:
                self._fetching.release()
        if self._keys is None:
            raise KeysUnavailable("no verification keys yet")
        return self._keys

    def _may_try(self) -> bool:
        return time.monotonic() - self._tried_at > JWKS_RETRY_SECONDS

    def _renew(self) -> None:
        if self._fetching.acquire(blocking=False):
            try:
                self._fetch()
            finally:
                self._fetching.release()

    def _fetch(self) -> None:
        """Fetch the keys; what was known stays if that fails."""
        try:
            answer = self._client.send("GET", self._url, seconds=JWKS_FETCH_SECONDS)
            if answer.ok:
                keys = KeySet.import_key_set(answer.body)
                self._kids = frozenset(key.kid for key in keys.keys)
                self._keys = keys
                self._fetched_at = time.monotonic()
        except (
            NoUsableAnswer,
            JoseError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ) as error:
            log.warning("verification keys not fetched", reason=str(error) or type(error).__name__)
        finally:
            self._tried_at = time.monotonic()


class TokenVerifier:
    """Verifies tokens locally and remembers the good ones until they expire."""

    def __init__(self, keys: Callable[[str], KeySet], *, issuer: str, service: str) -> None:
        """Build a verifier.

        Args:
            keys: returns the issuer's key set, given the key id a token names.
            issuer: the only accepted `iss`.
            service: this service's name, the only accepted `aud` of tokens that are not users'.
        """
        self._keys = keys
        self._issuer = issuer
        self._service = service
        self._seen: dict[str, tuple[float, AnyCaller]] = {}

    def verify(self, token: str) -> AnyCaller:
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

    def _caller(self, typ: str, claims: Mapping[str, Any]) -> AnyCaller:
        audience = {
            USER_TYPE: USER_AUDIENCE,
            SERVICE_TYPE: self._service,
            SUSPENDED_TYPE: self._service,
        }.get(typ)
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
            if typ == SUSPENDED_TYPE:
                return SuspendedCaller(UUID(claims["sub"]))
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
