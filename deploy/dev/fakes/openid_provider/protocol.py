"""OAuth 2 and OpenID Connect, by Authlib: authorization code, PKCE with S256 only, one client."""

import secrets
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, InvalidRequestError, list_to_scope, scope_to_list
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, UserInfo
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import RSAKey
from typing_extensions import override

from fakes.openid_provider.keys import ALGORITHM, SigningKeys
from fakes.openid_provider.misbehaviour import Misbehaviour, NextSignIn, spoil
from fakes.openid_provider.people import Person
from fakes.openid_provider.settings import Settings

SCOPES = ("openid", "email", "profile")
CLIENT_AUTHENTICATION = ("client_secret_basic", "client_secret_post")
CODE_SECONDS = 60
ACCESS_TOKEN_SECONDS = 3600


@dataclass(frozen=True)
class Client(ClientMixin):  # type: ignore[misc] # Authlib has no types
    """The one client: identity."""

    client_id: str
    client_secret: str
    redirect_uri: str
    id_token_signed_response_alg: str = ALGORITHM

    @override
    def get_client_id(self) -> str:
        return self.client_id

    @override
    def get_default_redirect_uri(self) -> None:
        """Return none: the client has to name it."""

    @override
    def get_allowed_scope(self, scope: str) -> str:
        allowed: str = list_to_scope([s for s in scope_to_list(scope) or [] if s in SCOPES])
        return allowed

    @override
    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    @override
    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(self.client_secret.encode(), client_secret.encode())

    @override
    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in CLIENT_AUTHENTICATION

    @override
    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    @override
    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass(frozen=True)
class Code(AuthorizationCodeMixin):  # type: ignore[misc]
    """An authorization code, with everything it stands for."""

    code: str
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str
    person: Person
    auth_time: int
    expires_at: float  # on the monotonic clock
    misbehaviour: Misbehaviour | None

    @override
    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    @override
    def get_scope(self) -> str:
        return self.scope

    @override
    def get_nonce(self) -> str | None:
        return self.nonce

    @override
    def get_auth_time(self) -> int:
        return self.auth_time


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What the userinfo endpoint may tell the bearer."""

    person: Person
    scope: str
    expires_at: float  # on the monotonic clock


class Issued:
    """The codes and tokens given out, in memory: a restart forgets them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._codes: dict[str, Code] = {}
        self._tokens: dict[str, AccessToken] = {}

    def add_code(self, code: Code) -> None:
        """Remember a code until it is spent or over."""
        with self._lock:
            self._codes = {c.code: c for c in self._codes.values() if not _over(c.expires_at)}
            self._codes[code.code] = code

    def peek(self, code: str) -> Code | None:
        """Return the code without spending it."""
        return self._codes.get(code)

    def spend(self, code: str, client_id: str) -> Code | None:
        """Return the code if it is good; whatever happens next, it was its only use."""
        with self._lock:
            spent = self._codes.pop(code, None)
        if spent is None or _over(spent.expires_at) or spent.client_id != client_id:
            return None
        return spent

    def add_token(self, value: str, token: AccessToken) -> None:
        """Remember an access token until it is over."""
        with self._lock:
            self._tokens = {v: t for v, t in self._tokens.items() if not _over(t.expires_at)}
            self._tokens[value] = token

    def token(self, value: str) -> AccessToken | None:
        """Return what a bearer of this value may know, None when it is unknown or over."""
        token = self._tokens.get(value)
        return None if token is None or _over(token.expires_at) else token


def _over(expires_at: float) -> bool:
    return time.monotonic() >= expires_at


def claims_of(person: Person, scope: str) -> UserInfo:
    """Return what the scope lets a client know about a person."""
    return UserInfo(
        sub=person.email,
        email=person.email,
        email_verified=person.email_verified,
        name=person.name,
    ).filter(scope)


class S256Only(CodeChallenge):  # type: ignore[misc]
    """PKCE for a confidential client too, and never `plain`."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    @override
    def validate_code_challenge(self, grant: AuthorizationCodeGrant, redirect_uri: str) -> None:
        """Refuse an authorization request without an S256 challenge; Authlib would let it pass."""
        asked = grant.request.payload.data
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE is required: code_challenge with S256.")
        super().validate_code_challenge(grant, redirect_uri)


class IdToken(OpenIDCode):  # type: ignore[misc]
    """The ID token beside the access token: honest, unless a test asked for something else."""

    def __init__(self, issuer: str, keys: SigningKeys) -> None:
        super().__init__(require_nonce=False)
        self._issuer = issuer
        self._keys = keys

    @override
    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
        """Leave it to the client, as Google does: the nonce protects the client."""
        return False

    @override
    def resolve_client_private_key(self, client: Client) -> RSAKey:
        return self._keys.current

    @override
    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": ALGORITHM, "kid": str(self._keys.current.kid)}

    @override
    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self._issuer, "aud": client.client_id}

    @override
    def generate_user_info(self, user: Person, scope: str) -> UserInfo:
        return claims_of(user, scope)

    @override
    def encode_id_token(self, token: dict[str, Any], request: OAuth2Request) -> str:
        id_token = super().encode_id_token(token, request)
        return spoil(id_token, request.authorization_code.misbehaviour, self._keys)


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """The authorization code flow over the provider's memory."""

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_AUTHENTICATION
    server: "Provider"

    @override
    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        misbehaviour = self.server.next_sign_in.take()
        asked = request.payload.data
        verified = misbehaviour is not Misbehaviour.EMAIL_UNVERIFIED
        self.server.issued.add_code(
            Code(
                code=code,
                client_id=request.client.client_id,
                redirect_uri=request.payload.redirect_uri,
                scope=request.scope,
                nonce=asked.get("nonce"),
                code_challenge=asked["code_challenge"],
                code_challenge_method=asked["code_challenge_method"],
                person=replace(request.user, email_verified=verified),
                auth_time=int(time.time()),
                expires_at=time.monotonic() + CODE_SECONDS,
                misbehaviour=misbehaviour,
            )
        )

    @override
    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        return self.server.issued.spend(code, client.client_id)

    @override
    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Do nothing: looking a code up has spent it."""

    @override
    def authenticate_user(self, authorization_code: Code) -> Person:
        return authorization_code.person


class Provider(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server with one client and everything it issues in memory."""

    def __init__(self, settings: Settings, keys: SigningKeys) -> None:
        super().__init__()
        self.issued = Issued()
        self.next_sign_in = NextSignIn()
        self._client = Client(settings.client_id, settings.client_secret, settings.redirect_uri)
        expires_in = {"authorization_code": ACCESS_TOKEN_SECONDS}
        self.load_config({"OAUTH2_TOKEN_EXPIRES_IN": expires_in})
        self.register_grant(CodeGrant, [S256Only(), IdToken(settings.issuer, keys)])

    @override
    def query_client(self, client_id: str) -> Client | None:
        return self._client if client_id == self._client.client_id else None

    @override
    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        expires_at = time.monotonic() + token["expires_in"]
        self.issued.add_token(
            token["access_token"], AccessToken(request.user, token["scope"], expires_at)
        )
