"""Tokens of services: POST /oauth/token · GET /.well-known/jwks.json."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn

from authlib.oauth2 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, OAuth2Payload
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from flask import Response, jsonify, request
from marshmallow import fields
from werkzeug.datastructures import MultiDict

from identity_service.api.forms import FORM
from identity_service.api.rules import CLIENTS
from identity_service.api.wired import wired
from identity_service.domain.service_clients import ServiceClient
from identity_service.domain.sign_in import hashed
from identity_service.usecases.issue_service_token import LIFETIME_SECONDS, issue_service_token
from identity_service.wiring import Wiring
from service_kit.access import EVERYONE, accepts, allow
from service_kit.openapi import Schema
from service_kit.problems import Problem
from service_kit.routes import Blueprint

blp = Blueprint("service tokens", __name__, description="OAuth 2 client credentials for services")

CHALLENGE = 'Basic realm="services"'
JWKS_CACHE = "public, max-age=60"


class TokenForm(Schema):
    grant_type = fields.String(required=True, data_key="grant_type")
    audience = fields.String(required=True)
    scope = fields.String(required=True)


class TokenResponse(Schema):
    access_token = fields.String(required=True, data_key="access_token")
    token_type = fields.String(required=True, data_key="token_type")
    expires_in = fields.Integer(required=True, data_key="expires_in")
    scope = fields.String(required=True)


class JwksResponse(Schema):
    keys = fields.List(fields.Dict(), required=True)


@blp.post("/oauth/token")
@allow(CLIENTS)
@accepts(FORM)
@blp.doc(
    requestBody={"content": {FORM: {"schema": TokenForm}}},
    description="HTTP Basic with the client's id and secret; one audience per token.",
)
@blp.response(200, TokenResponse)
@blp.alt_response(400, description="`INVALID_REQUEST`, `INVALID_SCOPE`, `UNSUPPORTED_GRANT_TYPE`")
@blp.alt_response(401, description="`INVALID_CLIENT`")
def post_token() -> Response:
    """Give a service a token for its calls to another one"""
    try:
        answer: Response = TokenServer(wired()).create_token_response(request)
    except UnicodeDecodeError as error:  # Basic credentials that are no text
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "INVALID_CLIENT",
            "invalid_client",
            headers={"WWW-Authenticate": CHALLENGE},
        ) from error
    return answer


@blp.get("/.well-known/jwks.json")
@allow(EVERYONE)
@blp.response(200, JwksResponse)
def get_jwks() -> Response:
    """Show the keys that verify our tokens"""
    response = jsonify(wired().keyring.jwks())
    response.headers["Cache-Control"] = JWKS_CACHE
    return response


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A service client as Authlib asks about it."""

    client: ServiceClient

    def check_client_secret(self, secret: str) -> bool:
        """Return whether this is one of the client's secrets."""
        return self.client.knows(hashed(secret))

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Return whether clients may prove who they are in this way."""
        return method == "client_secret_basic"

    def check_grant_type(self, grant_type: str) -> bool:
        """Return whether clients may ask for tokens in this way."""
        return bool(grant_type == ClientCredentialsGrant.GRANT_TYPE)


class FormPayload(OAuth2Payload):
    """The fields of the form, as Authlib asks for them."""

    def __init__(self, form: MultiDict[str, str]) -> None:
        self._form = form

    @property
    def data(self) -> MultiDict[str, str]:
        """The fields; of a repeated one, the first value."""
        return self._form

    @property
    def datalist(self) -> dict[str, list[str]]:
        """The values of each field."""
        return dict(self._form.lists())


class OneAudienceGrant(ClientCredentialsGrant):
    """Client credentials, for the scopes that a client may have at one audience."""

    def validate_requested_scope(self) -> None:
        """Check that the client may have what it asks for."""
        form = self.request.payload.datalist
        if any(len(form.get(name, [])) != 1 for name in ("audience", "scope")):
            raise InvalidRequestError("One 'audience' and one 'scope' are needed.")
        if not self.request.client.client.may(self._audience, self._scopes):
            raise InvalidScopeError("This client may not have this scope at this audience.")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Return the token."""
        token = issue_service_token(
            self.server.use.keyring,
            issuer=self.server.use.settings.jwt_issuer,
            client_id=self.request.client.client.id,
            audience=self._audience,
            scopes=self._scopes,
        )
        body = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": LIFETIME_SECONDS,
            "scope": " ".join(sorted(self._scopes)),
        }
        return HTTPStatus.OK, body, self.TOKEN_RESPONSE_HEADER

    @property
    def _audience(self) -> str:
        return str(self.request.payload.data["audience"])

    @property
    def _scopes(self) -> frozenset[str]:
        return frozenset(str(self.request.payload.scope).split())


class TokenServer(AuthorizationServer):
    """Authlib's authorization server on this service's clients, for one request."""

    def __init__(self, use: Wiring) -> None:
        super().__init__()
        self.use = use
        self.register_grant(OneAudienceGrant)

    def query_client(self, client_id: str) -> OAuthClient | None:
        """Return the client of this name."""
        if not client_id.isprintable():
            return None  # Postgres could not even be asked
        with self.use.read() as tx:
            client = tx.service_clients.get(client_id)
        return OAuthClient(client) if client else None

    def create_oauth2_request(self, _request: object) -> OAuth2Request:
        """Return the request being served.

        Authlib wants https; the network inside is private and TLS ends before it, so it is told
        that it is.
        """
        url = f"https://identity{request.path}"
        asked = OAuth2Request(request.method, url, headers=request.headers)
        asked.payload = FormPayload(request.form)
        return asked

    def handle_response(
        self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]
    ) -> Response:
        """Return Authlib's answer."""
        response = jsonify(body)
        response.status_code = status
        response.headers.extend(headers)
        return response

    def handle_error_response(self, _request: object, error: OAuth2Error) -> NoReturn:
        """Answer a refusal as every other one; `error` is OAuth's own word for it.

        Raises:
            Problem: always.
        """
        status = HTTPStatus(error.status_code)
        challenge = {"WWW-Authenticate": CHALLENGE}
        raise Problem(
            status,
            error.error.upper(),
            error.error,
            headers=challenge if status is HTTPStatus.UNAUTHORIZED else {},
            error_description=error.get_error_description(),
        )

    def send_signal(self, *_args: object, **_kwargs: object) -> None:
        """Nobody listens."""
