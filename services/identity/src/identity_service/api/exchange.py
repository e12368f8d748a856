"""What the gateway asks before it passes a request on: GET /auth/exchange."""

from http import HTTPStatus
from uuid import UUID

from flask import Response, request

from identity_service.api.cookies import Cookies
from identity_service.api.wired import wired
from identity_service.domain.api_tokens import bearer_api_token
from identity_service.domain.exchange import (
    asks_for_deletion,
    comes_from_our_pages,
    is_public_read,
)
from identity_service.domain.sign_in import LiveCredential, hashed
from identity_service.usecases.accept_api_token import accept_api_token
from identity_service.usecases.resume_session import resume_session
from service_kit.access import EVERYONE, allow
from service_kit.problems import Problem
from service_kit.rate_limits import UNLIMITED, limited
from service_kit.routes import Blueprint, current_request

blp = Blueprint("exchange", __name__, description="A client's credential → a token for services")


@blp.get("/auth/exchange")
@allow(EVERYONE)
@limited(UNLIMITED)  # part of every request, which is counted where it goes to
@blp.response(
    200,
    headers={
        "Authorization": {
            "description": "`Bearer` token; absent for anonymous readers",
            "schema": {"type": "string"},
        }
    },
)
@blp.alt_response(401, description="`UNAUTHENTICATED`")
@blp.alt_response(403, description="`CSRF`")
def get_exchange() -> Response:
    """Exchange the credential of the request described by `X-Forwarded-*`"""
    headers = current_request().headers
    method = headers.get("X-Forwarded-Method", "")
    uri = headers.get("X-Forwarded-Uri", "")
    authorization = headers.get("X-Client-Authorization")
    credential = _api_token(authorization) if authorization else _session()
    if credential is not None:
        if not authorization:  # no page of another site can make a browser send the other
            _require_our_page(method, uri)
        token = wired().user_tokens.issue(credential)
        return _passed({"Authorization": f"Bearer {token}"})
    if not authorization and asks_for_deletion(method, uri):
        person_id = _person_even_if_closed()
        if person_id is not None:
            _require_our_page(method, uri)
            token = wired().user_tokens.issue_suspended(person_id)
            return _passed({"Authorization": f"Bearer {token}"})
    if is_public_read(method, uri):
        return _passed({})
    raise Problem(
        HTTPStatus.UNAUTHORIZED,
        "UNAUTHENTICATED",
        "Your sign-in is no longer valid. Please sign in again.",
        headers={"WWW-Authenticate": "Bearer"},
        instance=uri.partition("?")[0],  # the client gets this answer
    )


def _passed(headers: dict[str, str]) -> Response:
    """Answer without a body: the gateway reads none, and a connection with an unread one ends."""
    response = Response(headers=headers)
    del response.headers["Content-Type"]
    return response


def _api_token(authorization: str) -> LiveCredential | None:
    use = wired()
    token = bearer_api_token(authorization)
    if token is None:
        return None
    return accept_api_token(use.begin, use.live_credentials, use.policy, token=token)


def _session() -> LiveCredential | None:
    use = wired()
    token = Cookies(use.settings).session_token
    if token is None:
        return None
    return resume_session(use.begin, use.live_credentials, use.policy, token=token)


def _person_even_if_closed() -> UUID | None:
    use = wired()
    token = Cookies(use.settings).session_token
    if token is None:
        return None
    with use.read() as tx:
        return tx.sessions.person_of(hashed(token))


def _require_our_page(method: str, uri: str) -> None:
    origin = request.headers.get("Origin")
    if comes_from_our_pages(method, origin, origins=wired().settings.origins):
        return
    raise Problem(
        HTTPStatus.FORBIDDEN,
        "CSRF",
        "This request does not come from our pages (header Origin).",
        instance=uri.partition("?")[0],
    )
