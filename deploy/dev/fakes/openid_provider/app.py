"""The provider's pages and endpoints."""

import os
from http import HTTPStatus
from typing import Any

from authlib.oauth2 import OAuth2Error
from flask import Flask, Response, abort, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from fakes.openid_provider.keys import ALGORITHM, SigningKeys
from fakes.openid_provider.misbehaviour import Misbehaviour, NextSignIn
from fakes.openid_provider.people import SEEDED, NotAnEmail, person_of
from fakes.openid_provider.protocol import (
    CLIENT_AUTHENTICATION,
    SCOPES,
    Provider,
    claims_of,
)
from fakes.openid_provider.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Return the provider as a WSGI application, its settings from the environment by default."""
    settings = settings or Settings.from_env()
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain http, on loopback
    app = Flask(__name__)
    keys = SigningKeys(settings.key_file)
    provider = Provider(settings, keys)
    _add_metadata(app, settings, keys)
    _add_pages(app, settings, provider)
    _add_endpoints(app, provider)
    _add_control(app, keys, provider.next_sign_in)
    app.after_request(_harden)
    return app


def _add_metadata(app: Flask, settings: Settings, keys: SigningKeys) -> None:
    @app.get("/.well-known/openid-configuration")
    def get_configuration() -> dict[str, Any]:
        return {
            "issuer": settings.issuer,
            "authorization_endpoint": f"{settings.issuer}/authorize",
            "token_endpoint": f"{settings.issuer}/token",
            "userinfo_endpoint": f"{settings.issuer}/userinfo",
            "jwks_uri": f"{settings.issuer}/jwks.json",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": list(CLIENT_AUTHENTICATION),
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": list(SCOPES),
            "claims_supported": ["sub", "email", "email_verified", "name"],
        }

    @app.get("/jwks.json")
    def get_keys() -> dict[str, Any]:
        return keys.public_key_set()

    @app.get("/healthz")
    def get_health() -> dict[str, str]:
        return {"status": "ok"}


def _add_pages(app: Flask, settings: Settings, provider: Provider) -> None:
    @app.get("/")
    def get_start() -> AnyResponse:
        """Somebody who came here by hand is looking for the product."""
        return redirect(settings.public_url)

    @app.get("/authorize")
    def get_authorize() -> AnyResponse:
        try:
            provider.get_consent_grant()
        except OAuth2Error as error:
            return _refusal(provider, error)
        return _page(request.args.get("login_hint", ""))

    @app.post("/authorize")
    def post_authorize() -> AnyResponse:
        """Take the decision; scripts post `email=…` straight away and need not see the page."""
        try:
            person = None if "deny" in request.form else person_of(request.form.get("email", ""))
            grant = provider.get_consent_grant(end_user=person)
        except NotAnEmail as typed:
            return _page(str(typed), mistaken=True)
        except OAuth2Error as error:
            return _refusal(provider, error)
        answer: AnyResponse = provider.create_authorization_response(grant=grant, grant_user=person)
        return answer


def _add_endpoints(app: Flask, provider: Provider) -> None:
    @app.post("/token")
    def post_token() -> AnyResponse:
        code = provider.issued.peek(request.form.get("code", ""))
        if code and code.misbehaviour is Misbehaviour.TOKEN_ENDPOINT_FAILS:
            abort(HTTPStatus.INTERNAL_SERVER_ERROR)
        answer: AnyResponse = provider.create_token_response()
        return answer

    @app.route("/userinfo", methods=["GET", "POST"])
    def get_userinfo() -> AnyResponse:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        token = provider.issued.token(value) if scheme.lower() == "bearer" else None
        if token is None:
            refusal = Response(status=HTTPStatus.UNAUTHORIZED)
            refusal.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return refusal
        return jsonify(claims_of(token.person, token.scope))


def _add_control(app: Flask, keys: SigningKeys, next_sign_in: NextSignIn) -> None:
    """Let tests make the provider wrong. JSON only: no page of another origin can send that."""

    @app.get("/control")
    def get_control() -> dict[str, Any]:
        return {"nextSignIn": next_sign_in.misbehaviour, "misbehaviours": list(Misbehaviour)}

    @app.put("/control/next-sign-in")
    def put_next_sign_in() -> dict[str, Any]:
        wish = request.get_json().get("misbehaviour")
        if wish is not None and wish not in set(Misbehaviour):
            abort(HTTPStatus.UNPROCESSABLE_ENTITY)
        next_sign_in.misbehaviour = None if wish is None else Misbehaviour(wish)
        return get_control()

    @app.post("/control/key-rotations")
    def post_key_rotation() -> dict[str, Any]:
        keep_previous = request.get_json().get("keepPrevious", True)
        return {"kid": keys.rotate(keep_previous=bool(keep_previous)).kid}


def _refusal(provider: Provider, error: OAuth2Error) -> AnyResponse:
    """Tell the client through the browser, or the browser alone if the client is not known."""
    refusal: AnyResponse = provider.handle_error_response(None, error)
    return refusal


def _page(email: str, *, mistaken: bool = False) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if mistaken else HTTPStatus.OK
    page = render_template("authorize.html", people=SEEDED, email=email, mistaken=mistaken)
    return Response(page, status=status, mimetype="text/html")


def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
