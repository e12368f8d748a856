"""A person's own credentials.

GET, POST /api/auth/tokens · DELETE /api/auth/tokens/{id} · GET, DELETE /api/auth/sessions ·
DELETE /api/auth/sessions/{id}
"""

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from identity_service.api.plain_text import plain_text
from identity_service.api.rules import IN_A_BROWSER
from identity_service.api.wired import wired
from identity_service.domain.api_tokens import DEFAULT_LIFETIME, MAX_LIFETIME, MAX_NAME
from identity_service.domain.errors import UnknownCredential
from identity_service.usecases.create_api_token import create_api_token
from service_kit.access import SIGNED_IN, allow, current_caller
from service_kit.openapi import Instant, Schema
from service_kit.rate_limits import Rate, limited
from service_kit.routes import Blueprint

blp = Blueprint("credentials", __name__, description="API tokens and sessions of the caller")


class ApiTokenSchema(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)
    created_at = Instant(required=True)
    last_used_at = Instant(
        required=True, allow_none=True, metadata={"description": "to the minute"}
    )
    expires_at = Instant(required=True)


class ApiTokensResponse(Schema):
    tokens = fields.List(fields.Nested(ApiTokenSchema), required=True)


class ApiTokenRequest(Schema):
    name = plain_text(MAX_NAME, required=True)
    expires_in_days = fields.Integer(
        load_default=DEFAULT_LIFETIME.days,
        strict=True,
        validate=validate.Range(1, MAX_LIFETIME.days),
    )


class NewApiTokenResponse(ApiTokenSchema):
    token = fields.String(required=True, metadata={"description": "`cc_…`; shown this once"})


class SessionSchema(Schema):
    id = fields.String(required=True)
    created_at = Instant(required=True)
    last_seen_at = Instant(required=True, metadata={"description": "to the minute"})
    expires_at = Instant(required=True)
    current = fields.Boolean(required=True, metadata={"description": "that of this request"})


class SessionsResponse(Schema):
    sessions = fields.List(fields.Nested(SessionSchema), required=True)


class EndedResponse(Schema):
    success = fields.Boolean(required=True)
    ended = fields.Integer(required=True, metadata={"description": "how many there were"})


@blp.get("/api/auth/tokens")
@allow(SIGNED_IN)
@blp.response(200, ApiTokensResponse)
def get_tokens() -> dict[str, Any]:
    """List the caller's API tokens, newest first"""
    with wired().read() as tx:
        return {"tokens": tx.api_tokens.of(current_caller().id)}


@blp.post("/api/auth/tokens")
@allow(IN_A_BROWSER)
@limited(Rate(of_person="10/minute"))
@blp.arguments(ApiTokenRequest, as_kwargs=True)
@blp.response(201, NewApiTokenResponse)
@blp.alt_response(409, description="`TOO_MANY_API_TOKENS`")
def post_token(name: str, expires_in_days: int) -> dict[str, Any]:
    """Make an API token; a token cannot be used to make another one"""
    token, secret = create_api_token(
        wired().begin,
        user_id=current_caller().id,
        name=name,
        lifetime=timedelta(days=expires_in_days),
    )
    return {**asdict(token), "token": secret}


@blp.delete("/api/auth/tokens/<uuid:token_id>")
@allow(SIGNED_IN)
@blp.response(200, EndedResponse)
@blp.alt_response(404, description="`UNKNOWN_CREDENTIAL`")
def delete_token(token_id: UUID) -> dict[str, Any]:
    """End one of the caller's API tokens"""
    with wired().begin() as tx:
        ended = tx.api_tokens.end(token_id, user_id=current_caller().id)
    return _ended(ended)


@blp.get("/api/auth/sessions")
@allow(SIGNED_IN)
@blp.response(200, SessionsResponse)
def get_sessions() -> dict[str, Any]:
    """List the caller's sessions, the one used last first"""
    caller = current_caller()
    with wired().read() as tx:
        found = tx.sessions.of(caller.id)
    return {
        "sessions": [
            {**asdict(session), "current": str(session.id) == caller.session_id}
            for session in found
        ]
    }


@blp.delete("/api/auth/sessions/<uuid:session_id>")
@allow(SIGNED_IN)
@blp.response(200, EndedResponse)
@blp.alt_response(404, description="`UNKNOWN_CREDENTIAL`")
def delete_session(session_id: UUID) -> dict[str, Any]:
    """End one of the caller's sessions"""
    with wired().begin() as tx:
        ended = tx.sessions.end_one(session_id, user_id=current_caller().id)
    return _ended(ended)


@blp.delete("/api/auth/sessions")
@allow(SIGNED_IN)
@blp.response(200, EndedResponse)
def delete_sessions() -> dict[str, Any]:
    """End all of the caller's sessions, that of this request included; API tokens stay"""
    with wired().begin() as tx:
        return {"success": True, "ended": tx.sessions.end_all_of(current_caller().id)}


def _ended(ended: bool) -> dict[str, Any]:
    if not ended:
        raise UnknownCredential
    return {"success": True, "ended": 1}
