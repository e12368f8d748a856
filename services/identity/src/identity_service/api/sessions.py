"""A browser's session.

GET /api/auth/session · GET, POST /api/auth/signout · POST /api/auth/_log · GET /api/auth/me
"""

from typing import Any

from flask import Response, jsonify
from marshmallow import fields

from identity_service.api.cookies import Cookies
from identity_service.api.forms import (
    FORM,
    CallbackForm,
    UrlResponse,
    require_our_page,
    safe_url,
    see,
)
from identity_service.api.user_schema import UserSchema, user_view
from identity_service.api.wired import wired
from identity_service.domain.errors import SignedOut
from identity_service.domain.sign_in import LiveCredential, hashed
from identity_service.usecases.resume_session import resume_session
from service_kit.access import EVERYONE, SIGNED_IN, accepts, allow, current_caller
from service_kit.openapi import Instant, Schema
from service_kit.rate_limits import CROWD, limited
from service_kit.routes import Blueprint

blp = Blueprint("sessions", __name__, description="A browser's session")

SIGN_OUT_PAGE = "/auth/signout"


class SessionResponse(Schema):
    user = fields.Nested(UserSchema, metadata={"description": "absent when signed out"})
    expires = Instant(metadata={"description": "absent when signed out"})


class LogResponse(Schema):
    pass


@blp.get("/api/auth/session")
@allow(EVERYONE)
@limited(CROWD)
@blp.response(200, SessionResponse)
def get_session() -> Response:
    """Show who is signed in; `{}` if nobody is"""
    use = wired()
    cookies = Cookies(use.settings)
    session = _session_of(cookies.session_token)
    person = None
    if session is not None:
        with use.read() as tx:
            person = tx.people.get(session.user_id)
    if session is None or person is None:
        return _nobody(cookies)
    view = {"user": user_view(person), "expires": session.expires_at}
    return jsonify(SessionResponse().dump(view))


@blp.get("/api/auth/signout")
@allow(EVERYONE)
@blp.response(302, description="To the front end's page that asks whether one is sure")
def get_signout() -> Response:
    """Go to the sign-out page"""
    return see(SIGN_OUT_PAGE)


@blp.post("/api/auth/signout")
@allow(EVERYONE)
@accepts(FORM)
@blp.arguments(CallbackForm, location="form")
@blp.response(200, UrlResponse)
@blp.alt_response(403, description="`CSRF`")
def post_signout(form: dict[str, Any]) -> Response:
    """Sign out: the session ends"""
    use = wired()
    cookies = Cookies(use.settings)
    require_our_page(cookies, form["csrf_token"])
    response = jsonify(url=safe_url(form["callback_url"]))
    if cookies.session_token:
        with use.begin() as tx:
            tx.sessions.end(hashed(cookies.session_token))
        cookies.drop_session(response)
    return response


@blp.post("/api/auth/_log")
@allow(EVERYONE)
@accepts(FORM, "application/json", "text/plain")
@blp.response(200, LogResponse)
def post_log() -> dict[str, Any]:
    """Take note of an error in the front end's sign-in client; it is counted like any request"""
    return {}


@blp.get("/api/auth/me")
@allow(SIGNED_IN)
@blp.response(200, UserSchema)
def get_me() -> dict[str, Any]:
    """Show the caller"""
    with wired().read() as tx:
        person = tx.people.get(current_caller().id)
    if person is None:
        raise SignedOut
    return user_view(person)


def _nobody(cookies: Cookies) -> Response:
    """Answer that nobody is signed in; the cookie stays while its session may count again."""
    response = jsonify({})
    token = cookies.session_token
    if token is None:
        return response
    with wired().read() as tx:
        person_id = tx.sessions.person_of(hashed(token))
    if person_id is None:
        cookies.drop_session(response)
    return response


def _session_of(token: str | None) -> LiveCredential | None:
    use = wired()
    if token is None:
        return None
    return resume_session(use.begin, use.live_credentials, use.policy, token=token)
