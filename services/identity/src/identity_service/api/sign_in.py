"""Signing in, in NextAuth's shape.

GET /api/auth/providers · GET /api/auth/csrf · GET /api/auth/signin · POST /api/auth/signin/google ·
GET /api/auth/callback/google
"""

import secrets
from typing import Any
from urllib.parse import urlencode

import structlog
from flask import Response, jsonify
from marshmallow import fields

from identity_service.api.cookies import RANDOM_BYTES, Cookies
from identity_service.api.forms import (
    FORM,
    CallbackForm,
    UrlResponse,
    require_our_page,
    safe_url,
    see,
)
from identity_service.api.wired import wired
from identity_service.clients.openid_provider import ProviderUnavailable
from identity_service.domain.errors import (
    AccountClosed,
    EmailNotVerified,
    InvalidIdentity,
    UnknownSignIn,
)
from identity_service.domain.sign_in import NewSession
from identity_service.usecases.begin_sign_in import begin_sign_in
from identity_service.usecases.identify_at_provider import identify_at_provider
from identity_service.usecases.sign_in import sign_in
from identity_service.wiring import CALLBACK_PATH
from service_kit.access import EVERYONE, accepts, allow
from service_kit.openapi import Schema
from service_kit.rate_limits import CROWD, limited
from service_kit.routes import Blueprint
from service_kit.tokens import KeysUnavailable

blp = Blueprint("sign-in", __name__, description="Signing in, in the shape of NextAuth 4")
log = structlog.get_logger(__name__)

SIGN_IN_PAGE = "/auth/signin"
DECLINED = "access_denied"  # what a provider says when the person does


class ProviderSchema(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)
    type = fields.String(required=True)
    signin_url = fields.String(required=True)
    callback_url = fields.String(required=True)


class ProvidersResponse(Schema):
    google = fields.Nested(ProviderSchema, required=True)


class CsrfResponse(Schema):
    csrf_token = fields.String(required=True)


class SignInArguments(Schema):
    """What a link asks for; whatever it is, the answer is a page, not a problem."""

    callback_url = fields.Raw(load_default=None, metadata={"type": "string"})
    error = fields.Raw(load_default=None, metadata={"type": "string"})


class CallbackArguments(Schema):
    """What a provider adds to the address; here, too, the answer is a page."""

    state = fields.Raw(load_default="", metadata={"type": "string"})
    code = fields.Raw(load_default="", metadata={"type": "string"})
    error = fields.Raw(load_default=None, metadata={"type": "string"})


@blp.get("/api/auth/providers")
@allow(EVERYONE)
@limited(CROWD)
@blp.response(200, ProvidersResponse)
def get_providers() -> dict[str, Any]:
    """List the sign-in providers"""
    base = wired().settings.public_url
    return {
        "google": {
            "id": "google",
            "name": "Google",
            "type": "oauth",
            "signin_url": f"{base}/api/auth/signin/google",
            "callback_url": base + CALLBACK_PATH,
        }
    }


@blp.get("/api/auth/csrf")
@allow(EVERYONE)
@limited(CROWD)
@blp.response(200, CsrfResponse)
def get_csrf() -> Response:
    """Give the page a token for its forms, and the browser the cookie that goes with it"""
    cookies = Cookies(wired().settings)
    token = cookies.csrf_token()
    response = jsonify(csrfToken=token)
    cookies.keep_csrf(response, token)
    return response


@blp.get("/api/auth/signin")
@allow(EVERYONE)
@blp.arguments(SignInArguments, location="query", as_kwargs=True)
@blp.response(302, description="To the front end's sign-in page")
def get_signin(callback_url: str | None, error: str | None) -> Response:
    """Go to the sign-in page"""
    asked = {"callbackUrl": safe_url(callback_url) if callback_url else None, "error": error}
    return _to_sign_in_page(**{name: value for name, value in asked.items() if value})


@blp.post("/api/auth/signin/google")
@allow(EVERYONE)
@accepts(FORM)
@blp.arguments(CallbackForm, location="form")
@blp.response(200, UrlResponse)
@blp.alt_response(403, description="`CSRF`")
def post_signin(form: dict[str, Any]) -> Response:
    """Begin to sign in: the answer says where at the provider"""
    use = wired()
    cookies = Cookies(use.settings)
    require_our_page(cookies, form["csrf_token"])
    browser = cookies.browser or secrets.token_urlsafe(RANDOM_BYTES)
    try:
        url = begin_sign_in(
            use.begin, use.provider, browser=browser, callback_url=safe_url(form["callback_url"])
        )
    except ProviderUnavailable as error:
        log.warning("sign-in not begun", reason=str(error))
        return jsonify(url=f"{use.settings.public_url}{SIGN_IN_PAGE}?error=OAuthSignin")
    response = jsonify(url=url)
    cookies.keep_browser(response, browser)
    return response


@blp.get(CALLBACK_PATH)
@allow(EVERYONE)
@blp.arguments(CallbackArguments, location="query", as_kwargs=True)
@blp.response(302, description="To the page asked for or, with `error`, to the sign-in page")
def get_callback(state: str, code: str, error: str | None) -> Response:
    """Complete a sign-in: the provider sends the browser here"""
    cookies = Cookies(wired().settings)
    try:
        session, callback_url = _completed(cookies, state=state, code=code, error=error)
    except (EmailNotVerified, AccountClosed) as refusal:
        log.warning("sign-in refused", reason=str(refusal) or refusal.code)
        return _to_sign_in_page(error="AccessDenied")
    except (UnknownSignIn, InvalidIdentity, ProviderUnavailable, KeysUnavailable) as failure:
        log.warning("sign-in failed", reason=f"{type(failure).__name__}: {failure}")
        return _to_sign_in_page(error="Callback")
    response = see(callback_url)
    cookies.keep_session(response, session)
    return response


def _completed(
    cookies: Cookies, *, state: str, code: str, error: str | None
) -> tuple[NewSession, str]:
    use = wired()
    if error == DECLINED:
        raise EmailNotVerified("declined at the provider")
    if error or not (state and code and cookies.browser):
        raise UnknownSignIn
    identity, callback_url = identify_at_provider(
        use.begin, use.provider, state=state, browser=cookies.browser, code=code
    )
    session = sign_in(
        use.begin, use.policy, identity=identity, replaced_token=cookies.session_token
    )
    return session, callback_url


def _to_sign_in_page(**query: str) -> Response:
    return see(f"{SIGN_IN_PAGE}?{urlencode(query)}" if query else SIGN_IN_PAGE)
